//! What the document declares, by name and system, and how references find it.

use std::collections::HashMap;

use roxmltree::Node;

use super::document::{Source, elements, local};
use super::{DEPTH_MAX, FULL_NAME_BYTES_MAX, TEXT_BYTES_MAX};
use crate::XtceError;

/// All declarations of a document, each kind in document order.
pub(super) struct Declarations<'a, 'i> {
    pub(super) root_name: &'a str,
    pub(super) version: Option<&'a str>,
    pub(super) types: Names<'a, 'i>,
    pub(super) parameters: Names<'a, 'i>,
    pub(super) containers: Names<'a, 'i>,
    pub(super) space_systems: usize,
}

/// One kind of declared things; types, parameters and containers may share names.
pub(super) struct Names<'a, 'i> {
    what: &'static str,
    pub(super) all: Vec<Declared<'a, 'i>>,
    by_path: HashMap<String, usize>,
    /// Of all full names so far.
    bytes: usize,
}

pub(super) struct Declared<'a, 'i> {
    pub(super) node: Node<'a, 'i>,
    /// Full name of the system around it: `/SYSTEM/SUBSYSTEM`.
    pub(super) system: String,
    pub(super) name: &'a str,
}

impl Declared<'_, '_> {
    pub(super) fn path(&self) -> String {
        format!("{}/{}", self.system, self.name)
    }
}

impl<'a, 'i> Declarations<'a, 'i> {
    pub(super) fn collect(source: &Source<'_>, root: Node<'a, 'i>) -> Result<Self, XtceError> {
        if local(root) != "SpaceSystem" {
            let message = format!("the root element is {}; expected SpaceSystem", local(root));
            return Err(source.error(root, message));
        }
        let header = elements(root).find(|child| local(*child) == "Header");
        let mut declarations = Declarations {
            root_name: source.required(root, "name")?,
            version: header.and_then(|header| header.attribute("version")),
            types: Names::new("parameter type"),
            parameters: Names::new("parameter"),
            containers: Names::new("container"),
            space_systems: 0,
        };
        declarations.collect_system(source, root, "", 1)?;
        Ok(declarations)
    }

    fn collect_system(
        &mut self,
        source: &Source<'_>,
        node: Node<'a, 'i>,
        parent: &str,
        depth: usize,
    ) -> Result<(), XtceError> {
        if depth > DEPTH_MAX {
            return Err(
                source.error(node, format!("systems nest too deep; expected at most {DEPTH_MAX} levels"))
            );
        }
        let system = format!("{parent}/{}", checked_name(source, node)?);
        if system.len() > FULL_NAME_BYTES_MAX {
            let message =
                format!("the full name has {} bytes; expected at most {FULL_NAME_BYTES_MAX}", system.len());
            return Err(source.error(node, message));
        }
        self.space_systems += 1;
        for child in elements(node) {
            match local(child) {
                "Header" => elements(child).for_each(|part| source.pass_over(part)),
                "SpaceSystem" => self.collect_system(source, child, &system, depth + 1)?,
                "TelemetryMetaData" => self.collect_telemetry(source, child, &system)?,
                _ => source.pass_over(child),
            }
        }
        Ok(())
    }

    fn collect_telemetry(
        &mut self,
        source: &Source<'_>,
        node: Node<'a, 'i>,
        system: &str,
    ) -> Result<(), XtceError> {
        for set in elements(node) {
            match local(set) {
                "ContainerSet" => {
                    for child in elements(set) {
                        match local(child) {
                            "SequenceContainer" => self.containers.declare(source, child, system)?,
                            _ => source.pass_over_if(child, &[], "SequenceContainer")?,
                        }
                    }
                }
                "ParameterSet" => {
                    for child in elements(set) {
                        match local(child) {
                            "Parameter" => self.parameters.declare(source, child, system)?,
                            _ => source.pass_over_if(child, &[], "Parameter")?,
                        }
                    }
                }
                "ParameterTypeSet" => {
                    for child in elements(set) {
                        self.types.declare(source, child, system)?;
                    }
                }
                _ => source.pass_over(set),
            }
        }
        Ok(())
    }
}

impl<'a, 'i> Names<'a, 'i> {
    fn new(what: &'static str) -> Self {
        Names { what, all: Vec::new(), by_path: HashMap::new(), bytes: 0 }
    }

    fn declare(&mut self, source: &Source<'_>, node: Node<'a, 'i>, system: &str) -> Result<(), XtceError> {
        let name = checked_name(source, node)?;
        let full_bytes = system.len() + 1 + name.len();
        self.bytes += full_bytes;
        if full_bytes > FULL_NAME_BYTES_MAX || self.bytes > TEXT_BYTES_MAX {
            let message = format!(
                "the full name has {full_bytes} bytes; expected at most {FULL_NAME_BYTES_MAX}, and {TEXT_BYTES_MAX} in \
                 all names"
            );
            return Err(source.error(node, message));
        }
        let declared = Declared { node, system: system.to_owned(), name };
        if self.by_path.insert(declared.path(), self.all.len()).is_some() {
            let message =
                format!("{} \"{name}\" is defined twice; expected a name of its own in {system}", self.what);
            return Err(source.error(node, message));
        }
        self.all.push(declared);
        Ok(())
    }

    /// The declaration a reference in some system means, for an attribute of `node`.
    pub(super) fn resolve(
        &self,
        source: &Source<'_>,
        node: Node<'_, '_>,
        attribute: &str,
        system: &str,
    ) -> Result<usize, XtceError> {
        let reference = source.required(node, attribute)?;
        self.find(system, reference).ok_or_else(|| {
            let message = format!(
                "{} \"{reference}\" is not defined; expected one of {system} or above, or an absolute path",
                self.what
            );
            source.error(node, message)
        })
    }

    fn find(&self, system: &str, reference: &str) -> Option<usize> {
        search(system, reference, |path| self.by_path.get(path).copied())
    }
}

/// What a reference in some system means: looked for there, then in each system above.
pub(super) fn search<T>(system: &str, reference: &str, look: impl Fn(&str) -> Option<T>) -> Option<T> {
    if reference.starts_with('/') {
        return look(&normalized(reference)?);
    }
    let is_anchored = reference.starts_with("./") || reference.starts_with("../");
    let mut system = system;
    loop {
        let path = normalized(&format!("{system}/{reference}"));
        if let Some(found) = path.and_then(|path| look(&path)) {
            return Some(found);
        }
        system = system.rsplit_once('/').filter(|(above, _)| !is_anchored && !above.is_empty())?.0;
    }
}

/// An absolute path without `.` and `..`; `None` when it leads above the root.
fn normalized(path: &str) -> Option<String> {
    let mut parts = Vec::new();
    for part in path.split('/').skip(1) {
        match part {
            "." => {}
            ".." => drop(parts.pop()?),
            _ => parts.push(part),
        }
    }
    Some(parts.iter().flat_map(|part| ["/", part]).collect())
}

pub(super) fn checked_name<'a>(source: &Source<'_>, node: Node<'a, '_>) -> Result<&'a str, XtceError> {
    let name = source.required(node, "name")?;
    if name.is_empty() || name.contains('/') || name == "." || name == ".." {
        return Err(source.error(node, format!("name=\"{name}\" was found; expected a name without \"/\"")));
    }
    Ok(name)
}
