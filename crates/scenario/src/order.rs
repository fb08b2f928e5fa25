//! In which order given resources can be created.

use std::{
    cmp::Reverse,
    collections::{BTreeSet, BinaryHeap, HashMap},
};

use crate::{
    diagnostic::Diagnostic,
    model::{Case, Given, GivenResource},
    reader::{Reader, list_all},
    template::{Expr, Key, RowUse, Template},
    things::Things,
};

/// From how many resources circles are looked for.
const MAX_CIRCLES: usize = 20;

/// Fills in [`Given::order`]: what a body refers to comes before it, else the order of the file.
pub(crate) fn arrange(reader: &mut Reader<'_>, given: &mut Given, things: &Things, row: Option<&Case>) {
    let needs: Vec<BTreeSet<usize>> = given
        .resources
        .iter()
        .map(|resource| {
            let mut needs: BTreeSet<usize> = resource.parent.into_iter().collect();
            for template in parts(resource) {
                template.each_expr(&mut |expr| resources_of(expr, things, row, &mut needs, 0));
            }
            needs
        })
        .collect();
    let mut missing: Vec<usize> = needs.iter().map(BTreeSet::len).collect();
    let mut wanted_by: Vec<Vec<usize>> = vec![Vec::new(); needs.len()];
    for (index, needs) in needs.iter().enumerate() {
        for need in needs {
            if let Some(list) = wanted_by.get_mut(*need) {
                list.push(index);
            }
        }
    }
    let mut ready: BinaryHeap<Reverse<usize>> =
        missing.iter().enumerate().filter(|(_, missing)| **missing == 0).map(|(index, _)| Reverse(index)).collect();
    let mut order = Vec::with_capacity(needs.len());
    while let Some(Reverse(index)) = ready.pop() {
        order.push(index);
        for next in wanted_by.get(index).map(Vec::as_slice).unwrap_or_default() {
            if let Some(missing) = missing.get_mut(*next) {
                *missing -= 1;
                if *missing == 0 {
                    ready.push(Reverse(*next));
                }
            }
        }
    }
    if order.len() < needs.len() {
        let mut left: BTreeSet<usize> =
            (0..needs.len()).filter(|index| missing.get(*index).is_some_and(|left| *left > 0)).collect();
        // What merely waits for a circle is left over, too, and has nothing wrong with it.
        for start in left.clone().into_iter().take(MAX_CIRCLES) {
            let round = circle(&needs, &left, start);
            tell(reader, given, &round);
            left.retain(|index| !round.contains(index));
        }
    }
    given.order = order;
}

/// What must be known before a resource can be created.
fn parts(resource: &GivenResource) -> impl Iterator<Item = &Template> {
    [Some(&resource.body), resource.location.as_ref(), resource.workload.as_ref(), resource.disabled.as_ref()]
        .into_iter()
        .flatten()
        .chain(resource.keys.iter().map(|(_, key)| key))
}

fn resources_of(expr: &Expr, things: &Things, row: Option<&Case>, needs: &mut BTreeSet<usize>, depth: usize) {
    for reference in expr.program.references() {
        if let Some((thing, _)) = things.meant(&reference.path) {
            needs.extend(thing.known.resource);
        }
    }
    // Rows refer to rows; circles among them are told elsewhere.
    if depth > 8 {
        return;
    }
    if let (RowUse::Keys(keys), Some(row)) = (&expr.row, row) {
        for (_, value) in row.values.iter().filter(|(key, _)| keys.contains(&key.text)) {
            value.each_expr(&mut |expr| resources_of(expr, things, Some(row), needs, depth + 1));
        }
    }
}

/// A circle that one of the resources leads to.
fn circle(needs: &[BTreeSet<usize>], left: &BTreeSet<usize>, start: usize) -> Vec<usize> {
    let mut path: Vec<usize> = Vec::new();
    let mut at = HashMap::new();
    let mut next = left.get(&start);
    while let Some(here) = next {
        if let Some(first) = at.insert(*here, path.len()) {
            return path.split_off(first);
        }
        path.push(*here);
        next = needs.get(*here).and_then(|needs| needs.iter().find(|need| left.contains(need)));
    }
    Vec::new()
}

/// Tells a circle of resources that wait for each other.
fn tell(reader: &mut Reader<'_>, given: &Given, round: &[usize]) {
    let ids: Vec<&Key> =
        round.iter().filter_map(|index| given.resources.get(*index)).map(|resource| &resource.id).collect();
    let Some((first, rest)) = ids.split_first() else { return };
    let message = match rest {
        [] => format!("`{}` refers to itself", first.text),
        _ => format!("{} need each other to be created", list_all(ids.iter().map(|id| &*id.text))),
    };
    let mut fault = Diagnostic::error("given::cycle", first.span, message);
    for id in rest.iter().take(6) {
        fault = fault.also(id.span, "");
    }
    reader.push(fault.help(
        "policies may refer to anything: they come after all creates; a body refers only to what can be there before it",
    ));
}
