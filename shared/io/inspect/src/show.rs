//! `dictionary show`: the tree of a dictionary, or all it says of one container or parameter.

use std::collections::BTreeMap;
use std::io::Write;

use mission_database::{
    AlarmRule, Composite, Container, ContainerIndex, Dictionary, Parameter, ParameterIndex, ParameterKind,
    Shape,
};

use crate::InspectError;
use crate::check::{bits_text, kind_word};
use crate::entries::entries;
use crate::names::leaf_names;
use crate::wording::{aligned, counted};

/// Shows the tree, or what is called `path`.
pub fn show(dictionary: &Dictionary, path: Option<&str>, output: &mut dyn Write) -> Result<(), InspectError> {
    let text = match path {
        None => tree(dictionary),
        Some(path) => {
            described(dictionary, path).ok_or_else(|| InspectError::UnknownName { path: path.to_owned() })?
        }
    };
    output.write_all(text.as_bytes()).map_err(InspectError::output)
}

/// What one system holds itself.
#[derive(Default)]
struct System<'d> {
    containers: Vec<&'d Container>,
    parameters: u64,
}

fn tree(dictionary: &Dictionary) -> String {
    let leaves = leaf_names(dictionary);
    let mut systems: BTreeMap<&str, System<'_>> = BTreeMap::new();
    for container in dictionary.containers() {
        let system = container.name.rsplit_once('/').map_or("", |(system, _)| system);
        systems.entry(system).or_default().containers.push(container);
    }
    let plain = dictionary.parameters().iter().zip(0..);
    let plain = plain.filter(|(_, index)| !leaves.contains_key(&ParameterIndex(*index)));
    let plain = plain.map(|(parameter, _)| (parameter.name.as_str(), parameter.short_name.as_str()));
    let whole = dictionary.composites().iter().map(|it| (it.name.as_str(), it.short_name.as_str()));
    for (name, short_name) in plain.chain(whole) {
        let system = name.strip_suffix(short_name).unwrap_or(name).trim_end_matches('/');
        systems.entry(system).or_default().parameters += 1;
    }
    let version = dictionary.version().map_or(String::new(), |version| format!(", version {version}"));
    let mut text = format!("{}{version}\n", dictionary.name());
    for (name, system) in &systems {
        let containers = counted(system.containers.len() as u64, "container");
        text += &format!("\n{name}: {}, {containers}\n", counted(system.parameters, "parameter"));
        let rows = system.containers.iter().map(|container| {
            let short = container.name.rsplit('/').next().unwrap_or(&container.name);
            let is_abstract = if container.is_abstract { "abstract" } else { "" };
            let description = container.description.clone().unwrap_or_default();
            vec![format!("  {short}"), is_abstract.to_owned(), description]
        });
        text += &aligned(&rows.collect::<Vec<_>>(), &[]);
    }
    text
}

/// Everything with a full name; when there is none, everything whose name ends so, if that is one thing.
fn described(dictionary: &Dictionary, path: &str) -> Option<String> {
    let all: Vec<Thing<'_>> = things(dictionary);
    let full: Vec<&Thing<'_>> = all.iter().filter(|thing| thing.name() == path).collect();
    let found = match full.as_slice() {
        [] => all.iter().filter(|thing| ends_with_parts(thing.name(), path)).collect(),
        _ => full,
    };
    match found.as_slice() {
        [] => None,
        [first, others @ ..] if others.iter().any(|other| other.name() != first.name()) => {
            let names: Vec<String> = found.iter().map(|thing| format!("  {}\n", thing.name())).collect();
            Some(format!("{} things are called {path}:\n{}", found.len(), names.concat()))
        }
        same => Some(same.iter().map(|thing| thing.text(dictionary)).collect::<Vec<_>>().join("\n")),
    }
}

/// Whether the last parts of a full name are these.
fn ends_with_parts(full: &str, last: &str) -> bool {
    full.strip_suffix(last).is_some_and(|before| before.ends_with('/'))
}

/// What can be asked for.
enum Thing<'d> {
    Composite(&'d Composite),
    Container(&'d Container),
    Member { name: String, shape: &'d Shape },
    Parameter { index: ParameterIndex, parameter: &'d Parameter },
}

fn things(dictionary: &Dictionary) -> Vec<Thing<'_>> {
    let mut all: Vec<Thing<'_>> = dictionary.containers().iter().map(Thing::Container).collect();
    for composite in dictionary.composites() {
        all.push(Thing::Composite(composite));
        members(&composite.name, &composite.shape, &mut all);
    }
    let parameters = dictionary.parameters().iter().zip(0..);
    all.extend(
        parameters.map(|(parameter, index)| Thing::Parameter { index: ParameterIndex(index), parameter }),
    );
    all
}

/// Members that have members themselves; leaves are parameters.
fn members<'d>(name: &str, shape: &'d Shape, found: &mut Vec<Thing<'d>>) {
    match shape {
        Shape::Aggregate(shapes) => {
            for (member, shape) in shapes.iter().filter(|(_, shape)| !matches!(shape, Shape::Leaf(_))) {
                let name = format!("{name}/{member}");
                members(&name, shape, found);
                found.push(Thing::Member { name, shape });
            }
        }
        Shape::Array(element) => members(name, element, found),
        Shape::Leaf(_) => {}
    }
}

impl Thing<'_> {
    fn name(&self) -> &str {
        match self {
            Self::Composite(composite) => &composite.name,
            Self::Container(container) => &container.name,
            Self::Member { name, .. } => name,
            Self::Parameter { parameter, .. } => &parameter.name,
        }
    }

    fn text(&self, dictionary: &Dictionary) -> String {
        match self {
            Self::Composite(composite) => composed(dictionary, &composite.name, &composite.shape),
            Self::Container(container) => container_text(dictionary, container),
            Self::Member { name, shape } => composed(dictionary, name, shape),
            Self::Parameter { index, parameter } => parameter_text(dictionary, *index, parameter),
        }
    }
}

fn container_text(dictionary: &Dictionary, container: &Container) -> String {
    let kind = if container.is_abstract {
        "abstract: a packet that ends here is of no known kind"
    } else {
        "concrete"
    };
    let mut rows = vec![("kind", kind.to_owned())];
    rows.extend(container.description.clone().map(|description| ("description", description)));
    rows.extend(container.base.map(|base| ("base", dictionary.container(base).name.clone())));
    let size = container.fixed_bits.map_or("varies".to_owned(), |bits| bits_text(bits.into()));
    rows.push(("size", format!("{size}, bases included")));
    let index = dictionary.containers().iter().position(|known| known.name == container.name);
    let is_derived =
        |derived: &&Container| derived.base.map(|base| base.0 as usize) == index && index.is_some();
    for (place, derived) in dictionary.containers().iter().filter(is_derived).enumerate() {
        rows.push((if place == 0 { "base of" } else { "" }, derived.name.clone()));
    }
    let index = index.map(|index| ContainerIndex(index as u32));
    let criteria = index.and_then(|index| dictionary.criteria(index));
    rows.extend(criteria.map(|criteria| ("when", criteria)));
    let entries = index.map(|index| entries(dictionary, index)).unwrap_or_default();
    titled(&format!("container {}", container.name), rows) + &entries
}

fn composed(dictionary: &Dictionary, name: &str, shape: &Shape) -> String {
    let mut rows = Vec::new();
    outline(dictionary, shape, 1, &mut rows);
    format!("parameter {name}\n{}", aligned(&rows, &[]))
}

/// A shape, one line a member, inner ones further in.
fn outline(dictionary: &Dictionary, shape: &Shape, depth: usize, rows: &mut Vec<Vec<String>>) {
    let margin = "  ".repeat(depth);
    match shape {
        Shape::Aggregate(members) => {
            for (name, member) in members {
                match member {
                    Shape::Leaf(parameter) => {
                        rows.push(vec![
                            format!("{margin}{name}"),
                            kind_and_unit(dictionary.parameter(*parameter)),
                        ]);
                    }
                    inner => {
                        rows.push(vec![format!("{margin}{name}")]);
                        outline(dictionary, inner, depth + 1, rows);
                    }
                }
            }
        }
        Shape::Array(element) => {
            rows.push(vec![format!("{margin}array of")]);
            outline(dictionary, element, depth + 1, rows);
        }
        Shape::Leaf(parameter) => {
            rows.push(vec![format!("{margin}{}", kind_and_unit(dictionary.parameter(*parameter)))]);
        }
    }
}

fn kind_and_unit(parameter: &Parameter) -> String {
    let unit = parameter.unit.as_ref().map_or(String::new(), |unit| format!(", {unit}"));
    format!("{}{unit}", kind_word(&parameter.kind))
}

fn parameter_text(dictionary: &Dictionary, index: ParameterIndex, parameter: &Parameter) -> String {
    let mut rows = vec![("type", kind_word(&parameter.kind).to_owned())];
    rows.extend(parameter.unit.clone().map(|unit| ("unit", unit)));
    rows.extend(parameter.description.clone().map(|description| ("description", description)));
    rows.extend(dictionary.encoding(index).map(|encoding| ("encoding", encoding)));
    rows.extend(dictionary.calibration(index).map(|calibration| ("calibration", calibration)));
    match &parameter.kind {
        ParameterKind::Boolean { zero, one } => rows.push(("words", format!("0 {zero}, otherwise {one}"))),
        ParameterKind::Enumeration(labels) => {
            for (place, label) in labels.iter().enumerate() {
                let range = match label.first == label.last {
                    true => label.first.to_string(),
                    false => format!("{} to {}", label.first, label.last),
                };
                rows.push((if place == 0 { "labels" } else { "" }, format!("{range}  {}", label.label)));
            }
        }
        _ => {}
    }
    for (place, limits) in dictionary.limits(index).into_iter().enumerate() {
        rows.push((if place == 0 { "limits" } else { "" }, limits));
    }
    rows.extend(dictionary.alarm_rule(index).map(|rule| ("alarm", rule_text(rule))));
    titled(&format!("parameter {}", parameter.name), rows)
}

fn rule_text(rule: AlarmRule) -> String {
    let mut text = match rule.persistence {
        0 | 1 => "raised by the first violation".to_owned(),
        several => format!("raised by {several} violations in a row"),
    };
    if rule.hysteresis > 0.0 {
        text += &format!("; over when {} within the limits", rule.hysteresis);
    }
    if rule.deadband > 0.0 {
        text += &format!("; changes below {} are not judged", rule.deadband);
    }
    text
}

fn titled(title: &str, rows: Vec<(&str, String)>) -> String {
    let rows = rows.into_iter().map(|(name, value)| vec![format!("  {name}"), value]);
    format!("{title}\n{}", aligned(&rows.collect::<Vec<_>>(), &[]))
}
