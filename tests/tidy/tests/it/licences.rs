//! Licences of everything that is built in: all of them can go into an Apache-2.0 product unmodified.

use crate::{assert_nothing_wrong, metadata};

const ALLOWED: [&str; 14] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "ISC",
    "MIT",
    "MIT-0",
    "MPL-2.0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Whether an SPDX expression can be met with what is allowed. `/` is how crates once wrote `OR`.
fn is_allowed(expression: &str) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = words.as_slice();
    any(&mut rest) == Some(true) && rest.is_empty()
}

fn any(rest: &mut &[&str]) -> Option<bool> {
    let mut allowed = all(rest)?;
    while let Some(("OR", after)) = rest.split_first().map(|(word, after)| (*word, after)) {
        *rest = after;
        allowed |= all(rest)?;
    }
    Some(allowed)
}

fn all(rest: &mut &[&str]) -> Option<bool> {
    let mut allowed = one(rest)?;
    while let Some(("AND", after)) = rest.split_first().map(|(word, after)| (*word, after)) {
        *rest = after;
        allowed &= one(rest)?;
    }
    Some(allowed)
}

fn one(rest: &mut &[&str]) -> Option<bool> {
    let (first, after) = rest.split_first()?;
    *rest = after;
    if *first == "(" {
        let allowed = any(rest)?;
        let (closing, after) = rest.split_first()?;
        *rest = after;
        return (*closing == ")").then_some(allowed);
    }
    if let ["WITH", exception, after @ ..] = *rest {
        *rest = after;
        return Some(ALLOWED.contains(&format!("{first} WITH {exception}").as_str()));
    }
    Some(ALLOWED.contains(first))
}

fn refused<'a>(packages: impl Iterator<Item = (&'a str, Option<&'a str>)>) -> Vec<String> {
    packages
        .filter(|(_, licence)| !licence.is_some_and(is_allowed))
        .map(|(name, licence)| format!("{name}: {}", licence.unwrap_or("none given")))
        .collect()
}

#[test]
fn every_dependency_has_a_licence_that_we_can_keep() {
    let metadata = metadata();
    let packages =
        metadata.packages.iter().map(|package| (package.name.as_str(), package.license.as_deref()));
    assert_nothing_wrong("a licence is not on the list", &refused(packages));
}

#[test]
fn licence_expressions_are_understood() {
    let check = |expression, expected| assert_eq!(is_allowed(expression), expected, "{expression:?}");
    check("MIT", true);
    check("MIT/Apache-2.0", true);
    check("MIT OR Apache-2.0 OR LGPL-2.1-or-later", true);
    check("(MIT OR GPL-3.0) AND Unicode-3.0", true);
    check("MIT AND (GPL-3.0 OR AGPL-3.0)", false);
    check("AGPL-3.0", false);
    check("MIT AND GPL-2.0-only", false);
    check("GPL-3.0 OR MIT AND AGPL-3.0", false);
    check("Apache-2.0 WITH LLVM-exception", true);
    check("GPL-2.0 WITH Classpath-exception-2.0", false);
    check("", false);
    check("(MIT", false);
    check("MIT Apache-2.0", false);
    let packages = [("a", Some("MIT")), ("b", Some("AGPL-3.0")), ("c", None)];
    assert_eq!(refused(packages.into_iter()), ["b: AGPL-3.0", "c: none given"]);
}
