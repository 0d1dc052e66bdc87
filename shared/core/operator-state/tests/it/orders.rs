//! Any people, any order.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// What one of several people does who all begin with the same dashboard: some widgets are put, others removed.
#[derive(Clone, Debug)]
struct Act {
    put: Vec<(u8, u32)>,
    remove: Vec<u8>,
}

impl Act {
    fn change(&self) -> Change {
        let put: BTreeMap<u8, u32> = self.put.iter().copied().collect();
        let remove = self.remove.iter().filter(|id| !put.contains_key(id)).map(u8::to_string).collect();
        let put = put.iter().map(|(id, shows)| widget(&id.to_string(), *shows)).collect();
        Change::new(put, remove, None, None).expect("can be taken")
    }
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = (prop::collection::vec((0..6_u8, 10..20_u32), 0..4), prop::collection::vec(0..6_u8, 0..3));
    prop::collection::vec(act.prop_map(|(put, remove)| Act { put, remove }), 1..6)
}

/// One dashboard, and what somebody had seen of it last: each person either goes on from there or from what is newest.
#[derive(Clone, Debug)]
struct Step {
    act: Act,
    behind: usize,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let act = (prop::collection::vec((0..4_u8, 10..1_000_u32), 0..3), prop::collection::vec(0..4_u8, 0..2));
    let step =
        (act, 0..4_usize).prop_map(|((put, remove), behind)| Step { act: Act { put, remove }, behind });
    prop::collection::vec(step, 1..12)
}

fn first() -> DashboardDocument {
    with(&[widget("0", 1), widget("1", 1), widget("2", 1)])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_order_of_merging_gives_the_same_dashboard(acts in acts(), keys in prop::collection::vec(any::<u32>(), 6)) {
        let first = first();
        let merged = |order: &[usize]| {
            order.iter().fold(first.clone(), |document, &number| {
                let who = by(&format!("person-{number}"), 10 + number as i64);
                changed(&document, &first.heads(), &who, 2 + number as u8, &acts[number].change())
            })
        };
        let order: Vec<usize> = (0..acts.len()).collect();
        let mut other = order.clone();
        other.sort_by_key(|&number| keys[number]);
        let (one, another) = (merged(&order), merged(&other));
        prop_assert_eq!(one.content(), another.content());
        prop_assert_eq!(one.heads(), another.heads());
    }

    #[test]
    fn nothing_is_lost_that_nobody_saw_and_no_request_counts_twice(steps in steps()) {
        // Of each copy that was put: its widget, and in which step.
        let mut documents = vec![first()];
        let mut expected: Vec<BTreeMap<String, Vec<(usize, u32)>>> = vec![
            ["0", "1", "2"].map(|id| (id.to_owned(), vec![(0, 1)])).into()
        ];
        for (number, step) in steps.iter().enumerate() {
            let (change, place) = (step.act.change(), number + 1);
            let behind = documents.len() - 1 - step.behind.min(documents.len() - 1);
            let (base, newest) = (documents[behind].heads(), &documents[documents.len() - 1]);
            let (who, id) = (by("somebody", 10 + place as i64), 2 + place as u8);
            let next = changed(newest, &base, &who, id, &change);
            let again = next.changed(&change, &base, &who, request(id)).expect("is known");
            prop_assert!(again.is_none());
            let saw = expected[behind].clone();
            let mut after = expected[expected.len() - 1].clone();
            let put: BTreeMap<u8, u32> = step.act.put.iter().copied().collect();
            let touched = put.keys().chain(step.act.remove.iter()).map(u8::to_string);
            for id in touched {
                let seen = saw.get(&id).cloned().unwrap_or_default();
                after.entry(id).or_default().retain(|copy| !seen.contains(copy));
            }
            for (id, shows) in put {
                after.entry(id.to_string()).or_default().push((place, shows));
            }
            after.retain(|_, copies| !copies.is_empty());
            for (id, copies) in &after {
                let mut shown: Vec<u32> = copies.iter().map(|(_, shows)| *shows).collect();
                let mut found: Vec<u32> = super::copies(&next, id).iter().map(|(_, shows)| *shows as u32).collect();
                shown.sort_unstable();
                shown.dedup();
                found.sort_unstable();
                prop_assert_eq!(found, shown, "widget {} after step {}", id, place);
            }
            prop_assert_eq!(next.content().widgets.len(), after.len());
            documents.push(next);
            expected.push(after);
        }
    }
}
