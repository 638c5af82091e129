//! The libraries and all that they are built from, as `cargo metadata` tells it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;

use serde_json::Value;

use super::LIBRARIES;
use crate::outcome::Outcome;
use crate::workspace::Workspace;

/// By identity, so that two versions of a package are two.
pub(super) struct Graph {
    libraries: BTreeMap<String, Package>,
    dependencies: BTreeMap<String, Package>,
}

/// What `cargo metadata` says of a package.
pub(super) struct Package(Value);

impl Graph {
    /// With every feature, for this machine, from what cargo has downloaded.
    pub(super) fn read(workspace: &Workspace) -> Outcome<Self> {
        let host = workspace.host()?;
        let words =
            format!("metadata --format-version 1 --locked --offline --all-features --filter-platform {host}");
        let output = workspace.cargo(&words).output();
        let output = output.map_err(|error| format!("cargo metadata could not be started: {error}"))?;
        if !output.status.success() {
            return Err(format!("cargo metadata: {}", String::from_utf8_lossy(&output.stderr)).into());
        }
        let metadata: Value = serde_json::from_slice(&output.stdout)
            .map_err(|error| format!("cargo metadata was not understood: {error}"))?;
        Ok(Self::of(&metadata))
    }

    fn of(metadata: &Value) -> Self {
        let packages = list(&metadata["packages"]).map(|package| (text(&package["id"]), package));
        let packages: BTreeMap<&str, &Value> = packages.collect();
        let nodes = list(&metadata["resolve"]["nodes"]).map(|node| (text(&node["id"]), node));
        let nodes: BTreeMap<&str, &Value> = nodes.collect();

        let is_ours = |id: &&str| LIBRARIES.contains(&text(&packages[*id]["name"]));
        let mut ahead: Vec<&str> = packages.keys().copied().filter(is_ours).collect();
        let mut built = BTreeSet::new();
        while let Some(id) = ahead.pop() {
            if built.insert(id) {
                let uses = list(&nodes[id]["deps"]).filter(|dependency| is_built(dependency));
                ahead.extend(uses.map(|dependency| text(&dependency["pkg"])));
            }
        }

        let (libraries, dependencies): (Vec<_>, Vec<_>) = built.into_iter().partition(is_ours);
        let package = |id: &str| (id.to_owned(), Package(packages[id].clone()));
        Self {
            libraries: libraries.into_iter().map(package).collect(),
            dependencies: dependencies.into_iter().map(package).collect(),
        }
    }

    pub(super) fn libraries(&self) -> impl Iterator<Item = &Package> {
        self.libraries.values()
    }

    /// What somebody else wrote.
    pub(super) fn dependencies(&self) -> impl Iterator<Item = &Package> {
        self.dependencies.values()
    }
}

impl Package {
    pub(super) fn field(&self, name: &str) -> &Value {
        &self.0[name]
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0[name].as_str().filter(|text| !text.is_empty())
    }

    pub(super) fn folder(&self) -> &Path {
        let manifest = Path::new(text(&self.0["manifest_path"]));
        manifest.parent().unwrap_or(manifest)
    }

    /// The names in `[dependencies]`, also those for some platforms only.
    pub(super) fn own_dependencies(&self) -> impl Iterator<Item = &str> {
        let built = list(&self.0["dependencies"]).filter(|dependency| dependency["kind"].is_null());
        built.map(|dependency| dependency["rename"].as_str().unwrap_or(text(&dependency["name"])))
    }
}

impl fmt::Display for Package {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", text(&self.0["name"]), text(&self.0["version"]))
    }
}

/// Whether users build it: not what tests alone take.
fn is_built(dependency: &Value) -> bool {
    list(&dependency["dep_kinds"]).any(|kind| kind["kind"] != "dev")
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_tests_alone_take_is_not_in_the_graph() {
        let uses = |package: &str, kind: Value| json!({ "pkg": package, "dep_kinds": [{ "kind": kind }] });
        let package = |name: &str| json!({ "id": name, "name": name, "version": "1.0.0" });
        let node = |name: &str, deps: Value| json!({ "id": name, "deps": deps });
        let graph = Graph::of(&json!({
            "packages": [package("highwater-buffer"), package("bytes"), package("cc"), package("loom")],
            "resolve": { "nodes": [
                node("highwater-buffer", json!([uses("bytes", Value::Null), uses("loom", json!("dev"))])),
                node("bytes", json!([uses("cc", json!("build"))])),
                node("cc", json!([])),
                node("loom", json!([])),
            ]},
        }));
        let names =
            |packages: Vec<&Package>| packages.into_iter().map(Package::to_string).collect::<Vec<_>>();
        assert_eq!(names(graph.libraries().collect()), ["highwater-buffer 1.0.0"]);
        assert_eq!(names(graph.dependencies().collect()), ["bytes 1.0.0", "cc 1.0.0"]);
    }
}
