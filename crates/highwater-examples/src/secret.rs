//! A password from a file: on a command line everybody could read it.

use std::path::Path;

/// The first line of a file.
///
/// # Errors
/// A sentence that names the file.
///
/// ```
/// use highwater_examples::secret::password;
/// assert!(password("no/such/file".as_ref()).unwrap_err().starts_with("no/such/file cannot be read: "));
/// ```
pub fn password(file: &Path) -> Result<String, String> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| format!("{} cannot be read: {error}", file.display()))?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}
