//! Heap allocations per record, counted by the program beside this one.

use crate::Choice;
use highwater_benches::{Measurement, Role};
use std::process::Command;

/// The metric of what is counted.
pub(crate) const METRIC: &str = "allocations per record";

/// What it counted.
///
/// # Errors
/// A sentence when it is there and cannot count.
pub(crate) fn measure(choice: &Choice) -> Result<Vec<Measurement>, String> {
    let program = crate::built("allocations");
    if !program.exists() {
        eprintln!("allocations: skipped, since the program of this name is not built");
        return Ok(Vec::new());
    }
    eprintln!("allocations");
    let output = Command::new(program).args(&choice.only).output();
    let output = output.map_err(|error| format!("allocations were not counted: {error}"))?;
    if !output.status.success() {
        return Err(format!("allocations: {}", String::from_utf8_lossy(&output.stderr)));
    }
    Ok(String::from_utf8_lossy(&output.stdout).lines().filter_map(parse).collect())
}

fn parse(line: &str) -> Option<Measurement> {
    let [work, contender, role, count] = line.split('\t').collect::<Vec<_>>()[..] else { return None };
    let roles = [Role::Ours, Role::Peer, Role::Bound, Role::Trap];
    Some(Measurement {
        work: work.to_owned(),
        metric: METRIC,
        contender: contender.to_owned(),
        role: roles.into_iter().find(|known| format!("{known:?}") == role)?,
        at: None,
        samples: vec![count.parse().ok()?],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_program_is_a_measurement() {
        let parsed = parse("line/16/owned\thighwater read_line\tOurs\t0.0625").expect("it is one");
        assert_eq!((parsed.contender.as_str(), parsed.role), ("highwater read_line", Role::Ours));
        assert_eq!(parsed.samples, [0.0625]);
    }
}
