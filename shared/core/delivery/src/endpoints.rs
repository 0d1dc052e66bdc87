//! Which of several hub endpoints a node turns to first: rendezvous hashing, so that a fleet spreads evenly without
//! anybody keeping a list.

use std::cmp::Reverse;

use crate::identity::NodeId;

/// Keeps these hashes apart from every other use of BLAKE3 here; a change moves every node of every fleet.
const CONTEXT: &[u8] = b"sto-endpoint-1";

/// The endpoints in this node's own order of preference.
///
/// Every node of a fleet computes the same weights, so an endpoint that goes away sends each of its nodes to that
/// node's second choice and moves nobody else. The order in which endpoints are listed does not matter.
pub fn preferred_order<E: AsRef<str>>(node: NodeId, endpoints: &[E]) -> Vec<&str> {
    let mut order: Vec<&str> = endpoints.iter().map(AsRef::as_ref).collect();
    order.sort_by_cached_key(|endpoint| (Reverse(weight(node, endpoint)), *endpoint));
    order
}

fn weight(node: NodeId, endpoint: &str) -> [u8; 32] {
    // The name comes last and all before it has a fixed length, so no two inputs run into each other.
    *blake3::Hasher::new().update(CONTEXT).update(&node.0).update(endpoint.as_bytes()).finalize().as_bytes()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    const HUBS: [&str; 4] =
        ["hub-a.example:4433", "hub-b.example:4433", "hub-c.example:4433", "[2001:db8::1]:4433"];

    fn node(number: u16) -> NodeId {
        let mut bytes = [0; 16];
        bytes[..2].copy_from_slice(&number.to_le_bytes());
        NodeId(bytes)
    }

    #[test]
    fn the_order_of_a_node_never_changes() {
        for (number, expected) in [(0, [2, 3, 0, 1]), (1, [0, 3, 1, 2]), (2, [1, 0, 3, 2])] {
            assert_eq!(preferred_order(node(number), &HUBS), expected.map(|index: usize| HUBS[index]));
        }
    }

    #[test]
    fn a_fleet_spreads_over_its_endpoints() {
        let mut first_choices = BTreeMap::new();
        for number in 0..1_000 {
            *first_choices.entry(preferred_order(node(number), &HUBS)[0]).or_insert(0) += 1;
        }
        // 250 each on average; the binomial distribution leaves this range about once in a million fleets.
        assert!(first_choices.len() == 4 && first_choices.values().all(|nodes| (180..=320).contains(nodes)));
    }

    proptest! {
        #[test]
        fn an_endpoint_that_goes_away_moves_only_its_own_nodes(
            id: [u8; 16],
            endpoints in prop::collection::btree_set("[a-z]{1,12}", 1..12),
            gone: prop::sample::Index,
        ) {
            let all: Vec<String> = endpoints.into_iter().collect();
            let gone = gone.get(&all);
            let left: Vec<&String> = all.iter().filter(|endpoint| *endpoint != gone).collect();
            let mut before = preferred_order(NodeId(id), &all);
            before.retain(|endpoint| endpoint != gone);
            prop_assert_eq!(preferred_order(NodeId(id), &left), before);
        }

        #[test]
        fn the_order_of_the_list_does_not_matter(id: [u8; 16], shuffled in Just(HUBS.to_vec()).prop_shuffle()) {
            prop_assert_eq!(preferred_order(NodeId(id), &shuffled), preferred_order(NodeId(id), &HUBS));
        }
    }
}
