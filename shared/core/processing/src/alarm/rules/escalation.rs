//! `[[contact]]`, `[[on_call]]` and `[[ladder]]`.

use std::collections::BTreeMap;

use super::fields::{Fields, Found, Located, Value};
use crate::alarm::entry::AlarmSeverity;
use crate::alarm::escalation::{
    ContactAddress, Escalation, Ladder, LocalHours, OnCall, Quiet, Repeat, Shift, Step, Target,
};

/// Steps of a ladder, shifts of a list, quiet hours of a ladder.
const PARTS_MAX: usize = 50;
/// Whom one step or shift tells.
const CONTACTS_MAX: usize = 50;
/// A step comes, and repeats, within a week.
const SPAN_MAX_S: u32 = 7 * 86_400;
/// Rounds of the last step: a day of half hours.
const REPEATS_MAX: u32 = 48;
/// What stands before the name of a list of who is on call.
const ON_CALL: &str = "on-call:";

pub(super) fn contact(mut fields: Fields<'_>) -> Found<(String, ContactAddress)> {
    let name = fields.name("name")?;
    let name = fields.required("name", name)?;
    let (email, slack, webhook) = (fields.name("email")?, fields.name("slack")?, fields.name("webhook")?);
    let (source, at) = (fields.source, fields.at);
    fields.finish()?;
    if name.value.starts_with(ON_CALL) {
        return Err(source.problem(name.at, format!("the name of a contact does not begin with {ON_CALL}")));
    }
    let text = |found: Located<&str>| found.value.to_owned();
    let address = match (email, slack, webhook) {
        (Some(email), None, None) if is_mailbox(email.value) => ContactAddress::Email(text(email)),
        (Some(email), None, None) => {
            return Err(source.problem(email.at, "`email` is not an address; expected \"name@example.org\""));
        }
        (None, Some(slack), None) => ContactAddress::Slack(text(slack)),
        (None, None, Some(webhook)) => ContactAddress::Webhook(text(webhook)),
        _ => return Err(source.problem(at, "expected exactly one of `email`, `slack` and `webhook`")),
    };
    Ok((text(name), address))
}

/// One `@` between two parts without blanks or line ends: enough to write no other header with it.
fn is_mailbox(text: &str) -> bool {
    let is_part = |part: &str| {
        !part.is_empty()
            && part.chars().all(|letter| letter.is_ascii_graphic() && !"@<>,;:\"()[]\\".contains(letter))
    };
    text.split_once('@').is_some_and(|(name, domain)| is_part(name) && is_part(domain))
}

/// Reads ladders and lists against the contacts that are there.
pub(super) struct Reader {
    pub(super) offset_s: i32,
    pub(super) contacts: BTreeMap<String, ContactAddress>,
}

impl Reader {
    pub(super) fn on_call(&self, mut fields: Fields<'_>) -> Found<OnCall> {
        let name = fields.name("name")?;
        let name = fields.required("name", name)?.value.to_owned();
        let shifts = fields.array("shifts", PARTS_MAX)?.unwrap_or_default();
        let otherwise = fields.names("otherwise", CONTACTS_MAX)?;
        let (source, at) = (fields.source, fields.at);
        fields.finish()?;
        if otherwise.is_empty() {
            let message = "`otherwise` is missing; expected the contacts for when no shift covers the time";
            return Err(source.problem(at, message));
        }
        let shifts =
            shifts.iter().map(|shift| self.shift(Fields::of(source, shift)?)).collect::<Found<_>>()?;
        Ok(OnCall { name, shifts, otherwise: self.known(&otherwise, source)? })
    }

    fn shift(&self, mut fields: Fields<'_>) -> Found<Shift> {
        let hours = self.hours(&mut fields)?;
        let contacts = fields.names("contacts", CONTACTS_MAX)?;
        let (source, at) = (fields.source, fields.at);
        fields.finish()?;
        if contacts.is_empty() {
            return Err(source.problem(at, "`contacts` is missing; expected whom to tell in the shift"));
        }
        Ok(Shift { hours, contacts: self.known(&contacts, source)? })
    }

    pub(super) fn ladder(&self, mut fields: Fields<'_>, lists: &[OnCall]) -> Found<Ladder> {
        let name = fields.name("name")?;
        let name = fields.required("name", name)?.value.to_owned();
        let at_least = fields.severity("at_least")?.unwrap_or(AlarmSeverity::Watch);
        let steps = fields.array("steps", PARTS_MAX)?.unwrap_or_default();
        let quiet = fields.array("quiet", PARTS_MAX)?.unwrap_or_default();
        let every = fields.seconds("repeat_every", SPAN_MAX_S)?;
        let times = fields.number("repeat_times", 1..=REPEATS_MAX)?;
        let (source, at) = (fields.source, fields.at);
        fields.finish()?;
        let repeat = match (every, times) {
            (Some(every_s), Some(times)) if every_s >= 60 => Some(Repeat { every_s, times }),
            (None, None) => None,
            _ => {
                let message = "expected `repeat_every`, of at least 60 s, together with `repeat_times`";
                return Err(source.problem(at, message));
            }
        };
        if steps.is_empty() {
            return Err(
                source.problem(at, "`steps` is missing; expected [{ after = \"0 s\", to = [\"…\"] }, …]")
            );
        }
        let mut read: Vec<Step> = Vec::new();
        for value in steps {
            let step = self.step(Fields::of(source, value)?, lists)?;
            if read.last().is_some_and(|before| before.after_s > step.after_s) {
                return Err(source.problem(
                    value.span().start,
                    "the step comes before the one above it; expected steps by time",
                ));
            }
            read.push(step);
        }
        let quiet = quiet.iter().map(|value| self.quiet(Fields::of(source, value)?)).collect::<Found<_>>()?;
        Ok(Ladder { name, at_least, steps: read, repeat, quiet })
    }

    fn step(&self, mut fields: Fields<'_>, lists: &[OnCall]) -> Found<Step> {
        let after_s = fields.seconds("after", SPAN_MAX_S)?.unwrap_or(0);
        let to = fields.names("to", CONTACTS_MAX)?;
        let (source, at) = (fields.source, fields.at);
        fields.finish()?;
        if to.is_empty() {
            return Err(source.problem(at, "`to` is missing; expected contacts, or \"on-call:LIST\""));
        }
        let target = |found: &Located<&str>| match found.value.strip_prefix(ON_CALL) {
            Some(list) if lists.iter().any(|known| known.name == list) => Ok(Target::OnCall(list.to_owned())),
            None if self.contacts.contains_key(found.value) => Ok(Target::Contact(found.value.to_owned())),
            _ => Err(source.problem(
                found.at,
                format!("there is no {:?}; expected a contact, or \"on-call:LIST\"", found.value),
            )),
        };
        Ok(Step { after_s, to: to.iter().map(target).collect::<Found<_>>()? })
    }

    fn quiet(&self, mut fields: Fields<'_>) -> Found<Quiet> {
        let hours = self.hours(&mut fields)?;
        let below = fields.severity("below")?;
        let below = fields.required("below", below)?;
        fields.finish()?;
        Ok(Quiet { hours, below })
    }

    fn hours(&self, fields: &mut Fields<'_>) -> Found<LocalHours> {
        let when = fields.name("when")?;
        let when = fields.required("when", when)?;
        let window = when.value.parse().map_err(|_| {
            let message =
                "`when` is not hours of the day; expected \"08:00-18:00\" or \"Mon-Fri 22:00-06:00\"";
            fields.source.problem(when.at, message)
        })?;
        Ok(LocalHours { window, offset_s: self.offset_s })
    }

    fn known(&self, names: &[Located<&str>], source: &super::fields::Source<'_>) -> Found<Vec<String>> {
        let known = |name: &Located<&str>| match self.contacts.contains_key(name.value) {
            true => Ok(name.value.to_owned()),
            false => Err(source.problem(name.at, format!("there is no contact {:?}", name.value))),
        };
        names.iter().map(known).collect()
    }
}

/// All of a document's escalation, lists before the ladders that name them.
pub(super) fn finish(reader: Reader, on_call: Vec<OnCall>, ladders: Vec<Ladder>) -> Escalation {
    Escalation { ladders, on_call, contacts: reader.contacts }
}

/// Seconds that a clock is ahead of UTC: `"+01:00"`, at most 14 hours.
pub(super) fn offset(source: &super::fields::Source<'_>, value: &Value<'_>) -> Found<i32> {
    let parse = |text: &str| {
        let (sign, clock) = text.split_at_checked(1)?;
        let sign = match sign {
            "+" => 1,
            "-" => -1,
            _ => return None,
        };
        let (hours, minutes) = clock.split_once(':')?;
        let number = |text: &str| (text.len() == 2).then(|| text.parse::<u8>().ok()).flatten().map(i32::from);
        let (hours, minutes) = (number(hours)?, number(minutes)?);
        let seconds = hours * 3_600 + minutes * 60;
        (minutes < 60 && seconds <= 14 * 3_600).then_some(sign * seconds)
    };
    let text = value.get_ref().as_str();
    let problem = || source.problem(value.span().start, "`utc_offset` is not an offset; expected \"+01:00\"");
    text.and_then(parse).ok_or_else(problem)
}
