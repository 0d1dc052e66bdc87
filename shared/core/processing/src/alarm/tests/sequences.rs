//! Any sequence of samples and acts, at a node that has a link now and then and at the hub.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

/// What may happen.
#[derive(Clone, Debug)]
enum Event {
    Act { at_hub: bool, alarm: prop::sample::Index, request: Asked },
    Exchange,
    Restart,
    See { parameter: bool, severity: Option<AlarmSeverity>, age: i64, live: bool },
    Wait(i64),
}

/// A request whose times are from now.
#[derive(Clone, Debug)]
enum Asked {
    Fixed(Request),
    Shelve(i64),
    Suppress(Option<i64>),
}

fn event() -> impl Strategy<Value = Event> {
    let severity = prop::option::of(prop::sample::select(AlarmSeverity::ALL.to_vec()));
    let fixed = prop::sample::select(vec![
        Request::Acknowledge { notices: None },
        Request::Acknowledge { notices: None },
        Request::Comment {},
        Request::Reset {},
        Request::Restore {},
        Request::Unshelve {},
        Request::Assign { to: Some("kari".to_owned()) },
        Request::Judge { usefulness: Usefulness::False },
    ]);
    let asked = prop_oneof![
        3 => fixed.prop_map(Asked::Fixed),
        1 => (-10_i64..40_000).prop_map(Asked::Shelve),
        1 => prop::option::of(-10_i64..40_000).prop_map(Asked::Suppress),
    ];
    prop_oneof![
        3 => (any::<bool>(), any::<prop::sample::Index>(), asked)
            .prop_map(|(at_hub, alarm, request)| Event::Act { at_hub, alarm, request }),
        1 => Just(Event::Exchange),
        1 => Just(Event::Restart),
        6 => (any::<bool>(), severity, prop_oneof![3 => Just(0_i64), 1 => 0_i64..500], prop::bool::weighted(0.8))
            .prop_map(|(parameter, severity, age, live)| Event::See { parameter, severity, age, live }),
        3 => (0_i64..200).prop_map(Event::Wait),
        1 => (0_i64..30_000).prop_map(Event::Wait),
    ]
}

type Store = BTreeMap<AlarmId, History>;

struct World {
    now: i64,
    terms: Terms,
    board: Board,
    node: Store,
    hub: Store,
    acts: u8,
    /// Ids of acts that somebody was told were done.
    done: BTreeSet<EntryId>,
    /// What the detector said last of each parameter, in live data.
    said: BTreeMap<bool, Option<AlarmSeverity>>,
    /// The same, where no older sample came behind it: which of the two counts is the board's to say.
    certain: BTreeMap<bool, Option<AlarmSeverity>>,
}

impl World {
    fn new(terms: Terms) -> Self {
        Self {
            now: 0,
            terms,
            board: Board::new(NODE),
            node: Store::new(),
            hub: Store::new(),
            acts: 0,
            done: BTreeSet::new(),
            said: BTreeMap::new(),
            certain: BTreeMap::new(),
        }
    }

    fn happen(&mut self, event: &Event) {
        match event {
            Event::Act { at_hub, alarm, request } => self.act(*at_hub, *alarm, request),
            Event::Exchange => self.exchange(),
            Event::Restart => self.restart(),
            Event::See { parameter, severity, age, live } => self.see(*parameter, *severity, *age, *live),
            Event::Wait(seconds) => {
                self.now += seconds;
                let written = self.board.on_time(at(self.now));
                self.store(written);
            }
        }
    }

    fn see(&mut self, parameter: bool, severity: Option<AlarmSeverity>, age: i64, live: bool) {
        let name = if parameter { "/SAT/A" } else { "/SAT/B" };
        let seen = Observation {
            subject: subject(name),
            live,
            terms: self.terms.clone(),
            ..seen(self.now - age, severity)
        };
        let written = self.board.on_observation(&seen, at(self.now));
        self.store(written);
        if live {
            self.said.insert(parameter, severity);
            self.certain.remove(&parameter);
        }
        if live && age == 0 {
            self.certain.insert(parameter, severity);
        }
    }

    fn store(&mut self, written: Vec<Written>) {
        for written in written {
            let new = || History::new(written.subject.clone(), written.first);
            let history = self.node.entry(written.alarm).or_insert_with(new);
            history.insert(written.entry).expect("as it was written");
        }
    }

    /// Alarms of live data at a place: late ones are not to move the numbers of the others.
    fn live(&self, at_hub: bool) -> Vec<AlarmId> {
        let store = if at_hub { &self.hub } else { &self.node };
        let live = store.values().filter(|history| !state(history, self.now).is_retrospective);
        live.map(History::alarm).collect()
    }

    fn act(&mut self, at_hub: bool, alarm: prop::sample::Index, asked: &Asked) {
        let alarms = self.live(at_hub);
        if alarms.is_empty() {
            return;
        }
        let alarm = *alarm.get(&alarms);
        let request = match asked {
            Asked::Fixed(request) => request.clone(),
            Asked::Shelve(seconds) => Request::Shelve { until: at(self.now + seconds) },
            Asked::Suppress(seconds) => Request::Suppress {
                kind: Suppression::OutOfService,
                until: seconds.map(|seconds| at(self.now + seconds)),
                order: "WO".to_owned(),
            },
        };
        self.acts += 1;
        let author = author("kari", if at_hub { Place::Hub } else { NODE }, self.now, self.acts);
        let store = if at_hub { &mut self.hub } else { &mut self.node };
        let history = store.get_mut(&alarm).expect("it was listed");
        if let Ok(entry) = history.act(&request, Some("because".to_owned()), author) {
            self.done.insert(entry.id);
        }
        if let Some(history) = self.node.get(&alarm) {
            self.board.on_history(history);
        }
    }

    fn exchange(&mut self) {
        for (alarm, history) in &self.node {
            self.hub.entry(*alarm).or_insert_with(|| history.clone()).merge(history);
        }
        for (alarm, history) in &self.hub {
            let known = self.node.get_mut(alarm).expect("only the node finds alarms");
            known.merge(history);
            self.board.on_history(known);
        }
    }

    /// The node starts anew from its store, and the detectors say what they see.
    fn restart(&mut self) {
        self.board = Board::new(NODE);
        for history in self.node.values().filter(|history| !state(history, self.now).is_retrospective) {
            self.board.restore(history.clone());
        }
        for (parameter, severity) in self.said.clone() {
            self.see(parameter, severity, 0, true);
        }
    }

    /// What nobody has acknowledged is told, or somebody said that it is not to be; and what stands is known to.
    fn check(&self) -> Result<(), TestCaseError> {
        for history in self.node.values().chain(self.hub.values()) {
            let found = state(history, self.now);
            let acknowledged: BTreeSet<EntryId> = history
                .all()
                .filter_map(Entry::act)
                .filter_map(|act| match &act.action {
                    Action::Acknowledge { notices } => Some(notices.clone()),
                    _ => None,
                })
                .flatten()
                .collect();
            let last_clear = history
                .conditions()
                .iter()
                .filter(|(_, condition)| condition.live && condition.change.severity().is_none())
                .map(|(_, condition)| condition.number)
                .max();
            for (entry, condition) in history.conditions().into_iter().filter(|(_, found)| found.is_notice())
            {
                let auto = self.terms.auto_acknowledge && last_clear > Some(condition.number);
                if acknowledged.contains(&entry) || auto {
                    continue;
                }
                let silent = matches!(found.state, State::Shelved | State::OutOfService);
                prop_assert!(found.state.rings() || silent, "{:?} is lost: {:?}", condition, found);
                prop_assert!(found.unacknowledged.iter().any(|notice| notice.entry == entry));
            }
            prop_assert!(!found.is_retrospective || !found.process.rings(), "late data rings: {:?}", found);
        }
        for (parameter, severity) in &self.certain {
            let name = if *parameter { "/SAT/A" } else { "/SAT/B" };
            let open = self.node.values().filter(|history| history.subject().parameter == name);
            let shown = open.filter_map(|history| state(history, self.now).severity).max();
            prop_assert!(shown >= *severity, "{:?} stands, and {:?} is shown", severity, shown);
        }
        Ok(())
    }

    fn ringing(&self) -> Vec<(AlarmId, State, usize)> {
        let states =
            self.hub.values().chain(self.node.values()).map(|history| (history, state(history, self.now)));
        let live = states.filter(|(_, found)| !found.is_retrospective);
        live.map(|(history, found)| (history.alarm(), found.state, found.unacknowledged.len())).collect()
    }
}

fn terms_of() -> impl Strategy<Value = Terms> {
    (any::<bool>(), any::<bool>(), prop::sample::select(vec![0_u32, 60])).prop_map(
        |(latch, auto_acknowledge, merge_window_s)| Terms {
            latch,
            auto_acknowledge,
            merge_window_s,
            ..terms()
        },
    )
}

proptest! {
    #[test]
    fn no_sequence_loses_an_unacknowledged_alarm_or_an_act(
        terms in terms_of(), events in prop::collection::vec(event(), 0..60),
    ) {
        let mut world = World::new(terms);
        for event in &events {
            world.happen(event);
            world.check()?;
        }
        world.exchange();
        world.check()?;
        prop_assert_eq!(&world.node, &world.hub);
        let known: BTreeSet<EntryId> =
            world.hub.values().flat_map(History::all).filter(|entry| entry.act().is_some()).map(|entry| entry.id).collect();
        prop_assert_eq!(known, world.done);
    }

    #[test]
    fn no_sequence_shelves_an_alarm_for_ever(
        terms in terms_of(), events in prop::collection::vec(event(), 0..60),
    ) {
        let mut world = World::new(terms);
        events.iter().for_each(|event| world.happen(event));
        world.now += SHELF_MAX / SECOND;
        for history in world.node.values().chain(world.hub.values()) {
            let found = state(history, world.now);
            prop_assert!(found.state != State::Shelved && found.shelved_until.is_none());
        }
        world.check()?;
    }

    #[test]
    fn late_data_changes_nothing_of_what_rings(
        terms in terms_of(), events in prop::collection::vec(event(), 0..60),
    ) {
        let (mut with, mut without) = (World::new(terms.clone()), World::new(terms));
        for event in &events {
            with.happen(event);
            if !matches!(event, Event::See { live: false, .. }) {
                without.happen(event);
            }
            prop_assert_eq!(with.ringing(), without.ringing());
        }
    }
}
