//! Parameters and what their names mean: leaves that have values, and the aggregates and arrays they make up.

use std::cell::RefCell;
use std::collections::HashMap;

use roxmltree::Node;

use super::declarations::{Declarations, search};
use super::document::{Source, description, elements};
use super::types::{Scalar, WrittenType};
use super::{DEPTH_MAX, PARTS_MAX, TEXT_BYTES_MAX};
use crate::condition::Register;
use crate::{
    Composite, CompositeIndex, EnumerationLabel, Parameter, ParameterIndex, ParameterKind, Shape, XtceError,
};

/// What a name of a parameter means.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Symbol {
    Composite(CompositeIndex),
    Leaf(ParameterIndex),
}

/// How the leaves of a composite stand in a packet.
pub(super) enum Tree<'a, 'i> {
    Aggregate(Vec<Tree<'a, 'i>>),
    Array { element: Box<Tree<'a, 'i>>, dimensions: Node<'a, 'i>, system: String },
    Leaf(ParameterIndex),
}

pub(super) struct Symbols<'a, 'i> {
    pub(super) parameters: Vec<Parameter>,
    /// The type of each parameter, by index.
    pub(super) types: Vec<usize>,
    pub(super) composites: Vec<Composite>,
    pub(super) trees: Vec<Tree<'a, 'i>>,
    pub(super) written: Vec<WrittenType<'a, 'i>>,
    by_path: HashMap<String, Symbol>,
    registers: RefCell<Registers>,
    /// Parts of composites so far, those without leaves too.
    parts: usize,
    /// Bytes of names, descriptions and labels so far: parameters that share a type have them each.
    text_bytes: usize,
}

/// Registers in the order in which something first referred to their parameters.
#[derive(Default)]
struct Registers {
    of_parameter: HashMap<ParameterIndex, Register>,
    parameters: Vec<ParameterIndex>,
}

impl<'a, 'i> Symbols<'a, 'i> {
    pub(super) fn collect(
        source: &Source<'_>,
        declarations: &Declarations<'a, 'i>,
        written: Vec<WrittenType<'a, 'i>>,
    ) -> Result<Self, XtceError> {
        let mut symbols = Symbols {
            parameters: Vec::with_capacity(declarations.parameters.all.len()),
            types: Vec::new(),
            composites: Vec::new(),
            trees: Vec::new(),
            written,
            by_path: HashMap::new(),
            registers: RefCell::default(),
            parts: 0,
            text_bytes: 0,
        };
        for declared in &declarations.parameters.all {
            let node = declared.node;
            let its_type = declarations.types.resolve(source, node, "parameterTypeRef", &declared.system)?;
            elements(node).for_each(|child| source.pass_over(child));
            let path = declared.path();
            if matches!(symbols.written[its_type], WrittenType::Scalar(_)) {
                let leaf = symbols.add_leaf(source, node, (&path, declared.name), its_type)?;
                symbols.define(source, node, path, Symbol::Leaf(leaf))?;
                continue;
            }
            let index = CompositeIndex(symbols.composites.len() as u32);
            symbols.define(source, node, path.clone(), Symbol::Composite(index))?;
            let expansion = Expansion { source, declarations, node };
            let (tree, shape) = symbols.expand(&expansion, (&path, declared.name), its_type, 1)?;
            symbols.composites.push(Composite { name: path, short_name: declared.name.to_owned(), shape });
            symbols.trees.push(tree);
        }
        Ok(symbols)
    }

    fn define(
        &mut self,
        source: &Source<'_>,
        node: Node<'_, '_>,
        path: String,
        symbol: Symbol,
    ) -> Result<(), XtceError> {
        if self.by_path.contains_key(&path) {
            return Err(source.error(node, meant_twice(&path)));
        }
        self.by_path.insert(path, symbol);
        Ok(())
    }

    fn add_leaf(
        &mut self,
        source: &Source<'_>,
        node: Node<'_, '_>,
        (name, short_name): (&str, &str),
        its_type: usize,
    ) -> Result<ParameterIndex, XtceError> {
        let index = ParameterIndex(self.parameters.len() as u32);
        let (kind, unit) = match &self.written[its_type] {
            WrittenType::Scalar(scalar) => (scalar.kind.clone(), scalar.unit.clone()),
            // Never asked for: composites end in scalars.
            _ => (ParameterKind::Binary, None),
        };
        let description = description(node);
        let (name, short_name) = (name.to_owned(), short_name.to_owned());
        let texts = [Some(&name), Some(&short_name), description.as_ref(), unit.as_ref()];
        let texts_bytes: usize = texts.into_iter().flatten().map(String::len).sum();
        self.text_bytes = self.text_bytes.saturating_add(texts_bytes + label_bytes(&kind));
        if self.text_bytes > TEXT_BYTES_MAX {
            let message = format!(
                "names, descriptions and labels of parameters are too long; expected at most {TEXT_BYTES_MAX} bytes in \
                 all"
            );
            return Err(source.error(node, message));
        }
        // Whether it is calibrated is known when its encoding is read.
        self.parameters.push(Parameter { name, short_name, description, unit, kind, calibrated: false });
        self.types.push(its_type);
        Ok(index)
    }

    /// Recursion is bounded by `DEPTH_MAX`; all parts together by `PARTS_MAX`.
    fn expand(
        &mut self,
        expansion: &Expansion<'_, '_, 'a, 'i>,
        (path, short_name): (&str, &str),
        its_type: usize,
        depth: usize,
    ) -> Result<(Tree<'a, 'i>, Shape), XtceError> {
        let Expansion { source, declarations, node } = *expansion;
        self.parts += 1;
        if depth > DEPTH_MAX || self.parts > PARTS_MAX {
            let message = format!(
                "{path} has too many parts; expected at most {DEPTH_MAX} levels and {PARTS_MAX} parts in all"
            );
            return Err(source.error(node, message));
        }
        match &self.written[its_type] {
            WrittenType::Scalar(_) => {
                let leaf = self.add_leaf(source, node, (path, short_name), its_type)?;
                // The leaf of an array has the array's name, and a reference to that means the array.
                let array = Symbol::Composite(CompositeIndex(self.composites.len() as u32));
                let meant = *self.by_path.entry(path.to_owned()).or_insert(Symbol::Leaf(leaf));
                if ![Symbol::Leaf(leaf), array].contains(&meant) {
                    return Err(source.error(node, meant_twice(path)));
                }
                Ok((Tree::Leaf(leaf), Shape::Leaf(leaf)))
            }
            WrittenType::Aggregate(members) => {
                let (mut trees, mut shapes) = (Vec::new(), Vec::new());
                for (name, member) in members.clone() {
                    let (path, short_name) = (format!("{path}/{name}"), format!("{short_name}/{name}"));
                    let (tree, shape) = self.expand(expansion, (&path, &short_name), member, depth + 1)?;
                    trees.push(tree);
                    shapes.push((name.to_owned(), shape));
                }
                Ok((Tree::Aggregate(trees), Shape::Aggregate(shapes)))
            }
            WrittenType::Array { element, dimensions } => {
                let (element, dimensions) = (*element, *dimensions);
                let declared = &declarations.types.all[its_type];
                let Some(dimensions) = dimensions else {
                    let message = "no DimensionList was found; expected one with a Dimension";
                    return Err(source.error(declared.node, message));
                };
                let levels = elements(dimensions).count();
                let deeper = depth.saturating_add(levels.max(1));
                let (tree, mut shape) = self.expand(expansion, (path, short_name), element, deeper)?;
                self.text_bytes = self.text_bytes.saturating_add(declared.system.len());
                for _ in elements(dimensions) {
                    shape = Shape::Array(Box::new(shape));
                }
                let system = declared.system.clone();
                Ok((Tree::Array { element: Box::new(tree), dimensions, system }, shape))
            }
        }
    }

    /// What a reference in some system means, for an attribute of `node`.
    pub(super) fn resolve(
        &self,
        source: &Source<'_>,
        node: Node<'_, '_>,
        attribute: &str,
        system: &str,
    ) -> Result<Symbol, XtceError> {
        let reference = source.required(node, attribute)?;
        search(system, reference, |path| self.by_path.get(path).copied()).ok_or_else(|| {
            let message = format!(
                "parameter \"{reference}\" is not defined; expected one of {system} or above, or an absolute path"
            );
            source.error(node, message)
        })
    }

    /// As [`Symbols::resolve`], of a parameter that one value is asked of.
    pub(super) fn resolve_leaf(
        &self,
        source: &Source<'_>,
        node: Node<'_, '_>,
        attribute: &str,
        system: &str,
    ) -> Result<ParameterIndex, XtceError> {
        match self.resolve(source, node, attribute, system)? {
            Symbol::Leaf(leaf) => Ok(leaf),
            Symbol::Composite(composite) => {
                let name = &self.composites.get(composite.0 as usize).map_or("it", |c| c.name.as_str());
                let message = format!("{name} is an aggregate or an array; expected one of its members");
                Err(source.error(node, message))
            }
        }
    }

    pub(super) fn scalar(&self, parameter: ParameterIndex) -> Option<&Scalar<'a, 'i>> {
        match &self.written[self.types[parameter.0 as usize]] {
            WrittenType::Scalar(scalar) => Some(scalar),
            _ => None,
        }
    }

    /// The register of a parameter, given to it when something first refers to it; `None` when there are no more.
    pub(super) fn register(&self, parameter: ParameterIndex) -> Option<Register> {
        let mut registers = self.registers.borrow_mut();
        if let Some(register) = registers.of_parameter.get(&parameter) {
            return Some(*register);
        }
        let register = Register(u16::try_from(registers.parameters.len()).ok()?);
        if register == Register::NONE {
            return None;
        }
        registers.parameters.push(parameter);
        registers.of_parameter.insert(parameter, register);
        Some(register)
    }

    /// Whose register it is.
    pub(super) fn parameter_of(&self, register: Register) -> ParameterIndex {
        self.registers.borrow().parameters[usize::from(register.0)]
    }

    /// Parameters by register.
    pub(super) fn registered(&self) -> Vec<ParameterIndex> {
        self.registers.borrow().parameters.clone()
    }
}

fn meant_twice(path: &str) -> String {
    format!("{path} means a parameter and a member of another; expected one of them")
}

/// Of the texts and the places of labels.
fn label_bytes(kind: &ParameterKind) -> usize {
    match kind {
        ParameterKind::Enumeration(labels) => {
            labels.iter().map(|label| label.label.len() + size_of::<EnumerationLabel>()).sum()
        }
        _ => 0,
    }
}

/// What stays the same while one parameter is expanded.
struct Expansion<'e, 's, 'a, 'i> {
    source: &'e Source<'s>,
    declarations: &'e Declarations<'a, 'i>,
    node: Node<'a, 'i>,
}
