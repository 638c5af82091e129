//! Licence expressions: `MIT OR (Apache-2.0 AND ISC)`, and the old `MIT/Apache-2.0`.

/// Whether what is allowed meets an expression; `None` where it is none.
pub(super) fn is_met(expression: &str, is_allowed: impl Fn(&str) -> bool) -> Option<bool> {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut parser = Parser { words: &words, is_allowed: &is_allowed };
    let met = parser.any()?;
    parser.words.is_empty().then_some(met)
}

struct Parser<'a> {
    words: &'a [&'a str],
    is_allowed: &'a dyn Fn(&str) -> bool,
}

impl Parser<'_> {
    /// What `OR` joins, which binds less than `AND`.
    fn any(&mut self) -> Option<bool> {
        let mut met = self.all()?;
        while self.takes("OR") {
            met |= self.all()?;
        }
        Some(met)
    }

    fn all(&mut self) -> Option<bool> {
        let mut met = self.one()?;
        while self.takes("AND") {
            met &= self.one()?;
        }
        Some(met)
    }

    fn one(&mut self) -> Option<bool> {
        let (word, rest) = self.words.split_first()?;
        self.words = rest;
        match *word {
            "(" => self.any().filter(|_| self.takes(")")),
            ")" | "AND" | "OR" | "WITH" => None,
            name => {
                // An exception allows more, so that the licence without it is what must do.
                if self.takes("WITH") {
                    self.words = self.words.split_first()?.1;
                }
                Some((self.is_allowed)(name))
            }
        }
    }

    fn takes(&mut self, word: &str) -> bool {
        match self.words.split_first() {
            Some((first, rest)) if *first == word => {
                self.words = rest;
                true
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn met(expression: &str) -> Option<bool> {
        is_met(expression, |name| ["MIT", "ISC"].contains(&name))
    }

    #[test]
    fn one_of_several_is_enough_and_all_of_several_are_needed() {
        assert_eq!(met("MIT"), Some(true));
        assert_eq!(met("GPL-3.0 OR MIT"), Some(true));
        assert_eq!(met("GPL-3.0/MIT"), Some(true));
        assert_eq!(met("GPL-3.0 AND MIT"), Some(false));
        assert_eq!(met("ISC AND (GPL-3.0 OR ISC) AND MIT"), Some(true));
        assert_eq!(met("MIT OR ISC AND GPL-3.0"), Some(true));
        assert_eq!(met("(MIT OR ISC) AND GPL-3.0"), Some(false));
        assert_eq!(met("MIT WITH some-exception"), Some(true));
    }

    #[test]
    fn what_is_no_expression_is_not_taken_for_one() {
        for expression in ["", "MIT OR", "(MIT", "MIT)", "MIT ISC", "OR MIT"] {
            assert_eq!(met(expression), None, "{expression}");
        }
    }
}
