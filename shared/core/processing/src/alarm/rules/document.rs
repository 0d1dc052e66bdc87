//! The document as a whole: which parts it has, and what is left out because something in it is wrong.

use std::collections::BTreeSet;
use std::ops::Range;

use toml::de::DeTable;

use super::escalation::{self, Reader};
use super::fields::{Fields, Found, Source, Value};
use super::{AlarmRules, Rule, RuleProblem, rule};
use crate::alarm::escalation::{Ladder, OnCall};

/// Far more than the rules of any mission; what is larger is another file.
const TEXT_BYTES_MAX: usize = 1024 * 1024;
/// Building the tree takes up to 300 bytes for a value, so what can make one is counted before: `=`, `,` and `[`.
const MARKS_MAX: usize = 100_000;
/// Tables of one sort.
const TABLES_MAX: usize = 2_000;
/// Problems that are told; who mends these will see the others.
const PROBLEMS_MAX: usize = 100;
/// The sorts of tables that may be there several times.
const SORTS: [&str; 4] = ["contact", "ladder", "on_call", "rule"];

pub(super) fn parse(source_name: &str, text: &str) -> AlarmRules {
    let source = Source { name: source_name, text };
    let mut rules = AlarmRules { source_name: source_name.to_owned(), ..AlarmRules::built_in() };
    let marks = || text.bytes().filter(|byte| b"=,[".contains(byte)).count();
    if text.len() > TEXT_BYTES_MAX || marks() > MARKS_MAX {
        let message =
            format!("the document has more than {TEXT_BYTES_MAX} bytes, or {MARKS_MAX} of `=`, `,` and `[`");
        rules.problems.push(source.problem(0, message));
        return rules;
    }
    let (sound, mut problems) = without_what_is_not_toml(&source);
    if let Ok(tree) = DeTable::parse(&sound) {
        let mut reading = Reading { source: &source, problems: Vec::new() };
        reading.read(tree.get_ref(), &mut rules);
        problems.append(&mut reading.problems);
    }
    problems.sort_by_key(|problem| (problem.line, problem.column));
    problems.truncate(PROBLEMS_MAX);
    rules.problems = problems;
    rules
}

/// The text with blanks in place of each table that is not TOML, so that all places stay. We don't take the parser's
/// word for what it made of such a table, or of those behind it.
fn without_what_is_not_toml(source: &Source<'_>) -> (String, Vec<RuleProblem>) {
    let (mut text, mut problems) = (source.text.to_owned(), Vec::new());
    for _ in 0..PROBLEMS_MAX {
        let Err(error) = DeTable::parse(&text) else { break };
        let at = error.span().map_or(0, |span| span.start);
        problems.push(source.problem(at, format!("{}; expected TOML", error.message().trim())));
        let table = table_around(&text, at);
        let bytes = text[table.clone()].bytes();
        let blank: String = bytes.map(|byte| if byte == b'\n' { '\n' } else { ' ' }).collect();
        if text[table.clone()] == blank {
            break;
        }
        text.replace_range(table, &blank);
    }
    (text, problems)
}

/// The bytes from the heading of the table in which a byte lies to the next heading; before the first heading, its line.
fn table_around(text: &str, at: usize) -> Range<usize> {
    let is_heading = |line: &str| {
        let name = line.trim_start().strip_prefix('[').map(|rest| rest.strip_prefix('[').unwrap_or(rest));
        name.is_some_and(|name| name.starts_with(|letter: char| letter.is_alphabetic() || letter == '_'))
    };
    let mut starts = Vec::new();
    let mut line_of_at = 0..text.len();
    let mut from = 0;
    for line in text.split_inclusive('\n') {
        if is_heading(line) {
            starts.push(from);
        }
        if (from..from + line.len()).contains(&at) || from + line.len() == text.len() && at >= text.len() {
            line_of_at = from..from + line.len();
        }
        from += line.len();
    }
    let heading = starts.iter().rposition(|start| *start <= at);
    heading.map_or(line_of_at, |place| starts[place]..starts.get(place + 1).copied().unwrap_or(text.len()))
}

struct Reading<'d> {
    source: &'d Source<'d>,
    problems: Vec<RuleProblem>,
}

impl<'d> Reading<'d> {
    fn read(&mut self, tree: &'d DeTable<'d>, rules: &mut AlarmRules) {
        let mut top = Fields::of_table(self.source, tree, 0);
        let version = top.number("version", 1..=u32::MAX).and_then(|found| top.required("version", found));
        rules.version = self.kept(version).unwrap_or(0);
        let offset_s = top.take("utc_offset").map(|value| escalation::offset(self.source, value)).transpose();
        let offset_s = self.kept(offset_s).flatten();
        let related_window = top.seconds("related_window", 86_400);
        if let Some(window) = self.kept(related_window).flatten() {
            rules.groups.related_window_s = window;
        }
        if let Some(flood) = top.take("flood") {
            let flood = self.flood(flood);
            if let Some((alarms, window_s)) = self.kept(flood) {
                (rules.groups.flood_alarms, rules.groups.flood_window_s) = (alarms, window_s);
            }
        }
        let [contacts, ladders, lists, own] = SORTS.map(|sort| {
            let found = top.array(sort, TABLES_MAX);
            self.kept(found).flatten().unwrap_or_default()
        });
        if let Err(unknown) = top.finish() {
            self.problems.push(unknown);
        }
        let mut reader = Reader { offset_s: offset_s.unwrap_or(0), contacts: Default::default() };
        for (name, address) in self.tables(contacts, escalation::contact, |(name, _)| name) {
            reader.contacts.insert(name, address);
        }
        let lists: Vec<OnCall> = self.tables(lists, |fields| reader.on_call(fields), |list| &list.name);
        let ladders: Vec<Ladder> =
            self.tables(ladders, |fields| reader.ladder(fields, &lists), |ladder| &ladder.name);
        let own: Vec<(Rule, usize)> = self.tables(own, rule::read, |(rule, _)| &rule.name);
        rules.rules = own.into_iter().map(|found| self.with_known_ladder(found, &ladders)).collect();
        rules.escalation = escalation::finish(reader, lists, ladders);
    }

    fn kept<T>(&mut self, found: Found<T>) -> Option<T> {
        found.map_err(|problem| self.problems.push(problem)).ok()
    }

    fn flood(&self, value: &'d Value<'d>) -> Found<(u32, u32)> {
        let mut fields = Fields::of(self.source, value)?;
        let alarms = fields.number("alarms", 1..=10_000)?;
        let alarms = fields.required("alarms", alarms)?;
        let window = fields.seconds("window", 86_400)?;
        let window = fields.required("window", window)?;
        fields.finish()?;
        Ok((alarms, window))
    }

    /// The tables of a sort that can be used: sound, and the first of their names.
    fn tables<T>(
        &mut self,
        values: &'d [Value<'d>],
        read: impl Fn(Fields<'d>) -> Found<T>,
        name: impl Fn(&T) -> &String,
    ) -> Vec<T> {
        let (mut found, mut names) = (Vec::new(), BTreeSet::new());
        for value in values {
            let table = Fields::of(self.source, value).and_then(&read);
            let Some(table) = self.kept(table) else { continue };
            if names.insert(name(&table).clone()) {
                found.push(table);
            } else {
                let message = format!("{:?} is there already; expected another name", name(&table));
                self.problems.push(self.source.problem(value.span().start, message));
            }
        }
        found
    }

    /// A rule whose ladder is not there counts all the same; its severity finds a ladder.
    fn with_known_ladder(&mut self, (mut rule, at): (Rule, usize), ladders: &[Ladder]) -> Rule {
        let unknown = rule.ladder.take_if(|name| !ladders.iter().any(|ladder| ladder.name == **name));
        if let Some(name) = unknown {
            let message =
                format!("there is no ladder {name:?}; the rule counts, with the ladder of its severity");
            self.problems.push(self.source.problem(at, message));
        }
        rule
    }
}
