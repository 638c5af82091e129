//! Whether a client has the file already: entity tags and dates.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Which version of a file there is, as far as its length and its time tell.
///
/// ```
/// use highwater_examples::http::Version;
/// let version = Version::new(5, std::time::UNIX_EPOCH);
/// assert_eq!(version.length, 5);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version {
    /// The length, in bytes.
    pub length: u64,
    /// Since 1970. What is older counts as of then, for HTTP's dates begin later still.
    modified: Duration,
}

impl Version {
    /// Of a file of that length, last modified then.
    ///
    /// ```
    /// # use highwater_examples::http::Version;
    /// let now = std::time::SystemTime::now();
    /// assert_ne!(Version::new(5, now), Version::new(6, now));
    /// ```
    pub fn new(length: u64, modified: SystemTime) -> Self {
        // HTTP's years have four digits.
        const LAST: Duration = Duration::from_secs(253_402_300_799);
        let modified = modified.duration_since(UNIX_EPOCH).unwrap_or_default().min(LAST);
        Self { length, modified }
    }

    pub(super) fn tag(self) -> String {
        format!("\"{:x}-{:x}\"", self.length, self.modified.as_nanos())
    }

    pub(super) fn date(self) -> String {
        httpdate::fmt_http_date(self.in_seconds())
    }

    fn in_seconds(self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(self.modified.as_secs())
    }
}

/// The fields of a request that depend on what the client has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Conditions {
    pub(super) if_none_match: Option<String>,
    pub(super) if_modified_since: Option<String>,
    pub(super) if_range: Option<String>,
}

impl Conditions {
    /// Whether the client has this version. RFC 9110 §13.2.2: a tag that is given decides, not the date.
    pub(super) fn client_has(&self, version: Version) -> bool {
        if let Some(tags) = &self.if_none_match {
            let mine = version.tag();
            let same = |tag: &str| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == mine;
            return tags.split(',').any(|tag| same(tag.trim()));
        }
        let since = self.if_modified_since.as_deref().and_then(|date| httpdate::parse_http_date(date).ok());
        since.is_some_and(|since| version.in_seconds() <= since)
    }

    /// Whether a part is of the version that the client has the rest of: without `If-Range`, it takes the risk.
    pub(super) fn allow_part(&self, version: Version) -> bool {
        self.if_range.as_deref().is_none_or(|mine| mine == version.tag() || mine == version.date())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DATE: &str = "Thu, 01 Jan 1970 00:00:10 GMT";

    fn version() -> Version {
        Version::new(255, UNIX_EPOCH + Duration::from_millis(10_500))
    }

    #[test]
    fn a_tag_decides_and_otherwise_the_date() {
        let tag = version().tag();
        assert_eq!((tag.as_str(), version().date().as_str()), ("\"ff-271d94900\"", DATE));
        for (tags, date, has) in [
            (None, None, false),
            (Some(tag.clone()), None, true),
            (Some(format!("\"a\", W/{tag}")), None, true),
            (Some("*".into()), None, true),
            (Some("\"a\"".into()), Some(DATE), false),
            (None, Some(DATE), true),
            (None, Some("Thu, 01 Jan 1970 00:00:09 GMT"), false),
            (None, Some("yesterday"), false),
        ] {
            let given = Conditions {
                if_none_match: tags.clone(),
                if_modified_since: date.map(Into::into),
                if_range: None,
            };
            assert_eq!(given.client_has(version()), has, "{tags:?} {date:?}");
        }
    }

    #[test]
    fn a_part_is_of_the_same_version() {
        for (mine, allowed) in [
            (None, true),
            (Some(version().tag()), true),
            (Some(DATE.into()), true),
            (Some("\"a\"".into()), false),
        ] {
            let given = Conditions { if_range: mine.clone(), ..Conditions::default() };
            assert_eq!(given.allow_part(version()), allowed, "{mine:?}");
        }
    }

    #[test]
    fn a_time_that_http_cannot_write_is_no_panic() {
        let far = UNIX_EPOCH + Duration::from_secs(1 << 50);
        assert_eq!(Version::new(0, far).date(), "Fri, 31 Dec 9999 23:59:59 GMT");
        assert_eq!(
            Version::new(0, UNIX_EPOCH - Duration::from_secs(1)).date(),
            "Thu, 01 Jan 1970 00:00:00 GMT"
        );
    }
}
