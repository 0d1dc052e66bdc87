//! Alarms: what nodes write into them and what people do at a hub is one history, which nodes are told of.

use cloud_hub::archive::{AlarmTable, Evidence, Kept, KnownEntry, ToTell, drop_old, keep};
use delivery::{BatchBuilder, Content, Lane, NodeId, Position, SealedBatch, Way};
use processing::alarm::{
    AlarmId, AlarmSeverity, AlarmState, Author, Board, Cause, EntryId, History, Observation, Piece, Place,
    Request, State, Subject, Terms,
};
use space_packet::{GenerationTime, ReceptionTime, TaiTime};
use uuid::Uuid;

use crate::archive::with_open_session;
use crate::world::{BEGINNING, OpenedLane, SECOND, STORE, World};

pub(crate) fn at(second: i64) -> TaiTime {
    TaiTime(BEGINNING + second * SECOND)
}

pub(crate) fn subject(mission: &str, parameter: &str) -> Subject {
    Subject {
        mission: mission.to_owned(),
        node: None,
        detector: "limits".to_owned(),
        parameter: parameter.to_owned(),
    }
}

pub(crate) fn node_place(node: Uuid) -> Place {
    Place::Node(NodeId(node.into_bytes()))
}

/// What somebody at a place says of a parameter at some seconds, as pieces of an entry each.
pub(crate) fn said(place: Place, subject: &Subject, levels: &[(i64, Option<AlarmSeverity>)]) -> Vec<Piece> {
    let mut board = Board::new(place);
    let mut pieces = Vec::new();
    for (second, severity) in levels {
        let seen = Observation {
            subject: subject.clone(),
            severity: *severity,
            generation: GenerationTime(at(*second)),
            live: true,
            terms: Terms::default(),
            cause: Cause { seen: Some(7.5), ..Cause::default() },
        };
        let written = board.on_observation(&seen, at(*second));
        pieces.extend(written.into_iter().map(|written| Piece {
            subject: written.subject,
            first: written.first,
            entries: vec![written.entry],
        }));
    }
    pieces
}

pub(crate) fn raised(place: Place) -> Piece {
    said(place, &subject("test", "/Test/number"), &[(1, Some(AlarmSeverity::Warning))]).remove(0)
}

/// An act on an alarm, as a piece.
pub(crate) fn act(history: &mut History, place: Place, request: &Request, second: i64) -> Piece {
    let author =
        Author { by: "kari".to_owned(), place, at: at(second), id: EntryId(*Uuid::new_v4().as_bytes()) };
    let entry = history.act(request, None, author).expect("taken");
    Piece { subject: history.subject().clone(), first: history.first(), entries: vec![entry] }
}

pub(crate) fn batch(mission: &str, records: &[Vec<u8>], position: &mut Option<Position>) -> SealedBatch {
    let mut builder = BatchBuilder::of(Content::Alarms, mission, "node");
    for record in records {
        builder.push(ReceptionTime(at(0)), record);
    }
    let before = position.unwrap_or(Position::start(STORE, Lane::Telemetry));
    let sealed = builder.pack().expect("records").seal(Lane::Telemetry, &before);
    *position = Some(sealed.position());
    sealed
}

struct Alarms {
    world: World,
    lane: OpenedLane,
    position: Option<Position>,
    table: AlarmTable,
}

impl Alarms {
    async fn new() -> Self {
        let (mut world, lane) = with_open_session().await;
        world.way = Way::Alarm;
        let table = AlarmTable::new(world.database.clone());
        Self { world, lane, position: None, table }
    }

    fn here(&self) -> Place {
        node_place(self.lane.key.node)
    }

    async fn send(&mut self, mission: &str, records: &[Vec<u8>]) {
        let batches = [batch(mission, records, &mut self.position)];
        let committed = self.world.commit(self.lane.key, self.lane.session, &batches).await;
        assert_eq!(committed.expect("committed").len(), 1, "the batch is in the ledger whatever is in it");
    }

    async fn send_pieces(&mut self, pieces: &[Piece]) {
        let records: Vec<Vec<u8>> = pieces.iter().map(|piece| piece.encode().expect("encodes")).collect();
        self.send("test", &records).await;
    }

    async fn known(&self, mission: &str) -> Vec<KnownEntry> {
        self.table.start(mission, 100).await.expect("answers").entries
    }

    async fn history(&self, alarm: AlarmId) -> History {
        self.table.history("test", alarm).await.expect("answers").expect("is there")
    }

    async fn to_tell(&self, node: Uuid) -> Vec<ToTell> {
        self.table.to_tell(node, 0, 100).await.expect("answers")
    }
}

fn decoded(told: &[ToTell]) -> Vec<Piece> {
    told.iter().map(|told| Piece::decode(&told.piece).expect("reads")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn pieces_that_come_twice_and_in_any_order_are_one_alarm() {
    let levels = [(1, Some(AlarmSeverity::Warning)), (2, Some(AlarmSeverity::Critical))];
    let mut histories = Vec::new();
    for is_reversed in [false, true] {
        let mut alarms = Alarms::new().await;
        let mut pieces = said(Place::Node(NodeId([7; 16])), &subject("test", "/Test/number"), &levels);
        for entry in pieces.iter_mut().flat_map(|piece| &mut piece.entries) {
            entry.place = alarms.here();
        }
        if is_reversed {
            pieces.reverse();
        }
        let alarm = pieces[0].alarm();
        alarms.send_pieces(&pieces).await;
        alarms.send_pieces(&pieces[..1]).await;
        alarms.send_pieces(&pieces).await;
        let history = alarms.history(alarm).await;
        assert_eq!(alarms.known("test").await.len(), 2);
        let state = AlarmState::of(&history, at(3));
        assert_eq!(
            (state.state, state.severity),
            (State::ActiveUnacknowledged, Some(AlarmSeverity::Critical))
        );
        let numbers: Vec<u32> =
            history.entries().iter().filter_map(|entry| Some(entry.condition()?.number)).collect();
        histories.push((history.alarm(), numbers));
    }
    assert_eq!(histories[0], histories[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_entries_with_one_id_the_one_stays_that_a_history_keeps() {
    let mut alarms = Alarms::new().await;
    let early = raised(alarms.here());
    let mut late = early.clone();
    late.entries[0].recorded = at(500);
    alarms.send_pieces(std::slice::from_ref(&late)).await;
    let known = alarms.known("test").await;
    alarms.send_pieces(&[early.clone(), late]).await;
    let now = alarms.known("test").await;
    assert_eq!(now.len(), 1);
    assert_eq!(now[0].piece, early, "recorded first");
    assert!(now[0].number > known[0].number, "other hubs hear of it");
    assert_eq!(now[0].known, known[0].known, "it has been known for as long");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_node_may_not_write_and_what_is_damaged_is_left_out_and_the_rest_counts() {
    let mut alarms = Alarms::new().await;
    let (node, here) = (alarms.lane.key.node, alarms.here());
    let warning = [(1, Some(AlarmSeverity::Warning))];
    let of_other_place = said(node_place(Uuid::new_v4()), &subject("test", "/Test/a"), &warning).remove(0);
    let of_hub = said(Place::Hub, &subject("test", "/Test/b"), &warning).remove(0);
    let of_other_mission = said(here, &subject("zebra", "/Zebra/c"), &warning).remove(0);
    let about_other = Subject { node: Some(NodeId([9; 16])), ..subject("test", "/Test/d") };
    let about_other = said(here, &about_other, &warning).remove(0);
    let with_zero = said(here, &subject("test", "/Test/\0"), &warning).remove(0);
    let about_itself = Subject { node: Some(NodeId(node.into_bytes())), ..subject("test", "/Test/e") };
    let good = [said(here, &about_itself, &warning).remove(0), raised(here)];

    let bad = [of_other_place, of_hub, of_other_mission, about_other, with_zero];
    let mut records: Vec<Vec<u8>> =
        bad.iter().chain(&good).map(|piece| piece.encode().expect("encodes")).collect();
    let whole = raised(here).encode().expect("encodes");
    records.extend([whole[..whole.len() - 1].to_vec(), vec![0xff; 40], vec![1]]);
    alarms.send("test", &records).await;

    let known: Vec<AlarmId> = alarms.known("test").await.iter().map(|known| known.piece.alarm()).collect();
    assert_eq!(known.len(), 2);
    assert!(good.iter().all(|piece| known.contains(&piece.alarm())));
    assert!(alarms.known("zebra").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_act_at_the_hub_is_told_to_the_nodes_that_wrote_into_the_alarm_until_they_have_it() {
    let mut alarms = Alarms::new().await;
    let (node, other) = (alarms.lane.key.node, alarms.world.node("other").await.node_id);
    let raised = raised(alarms.here());
    alarms.send_pieces(std::slice::from_ref(&raised)).await;
    assert_eq!(alarms.to_tell(node).await, [], "what it wrote itself it knows");
    let mut history = History::try_from(raised.clone()).expect("a history");
    let acknowledge = Request::Acknowledge { notices: None };
    let acknowledged = act(&mut history, Place::Hub, &acknowledge, 2);
    alarms.table.keep(&acknowledged, at(2)).await.expect("kept");
    alarms.table.keep(&acknowledged, at(3)).await.expect("kept");

    let told = alarms.to_tell(node).await;
    assert_eq!(decoded(&told), std::slice::from_ref(&acknowledged), "once");
    assert_eq!(told[0].mission, "test");
    assert_eq!(alarms.to_tell(other).await, []);
    let (nodes, _) = alarms.table.nodes_to_tell(0).await.expect("answers");
    assert_eq!(nodes, [node]);

    alarms.table.begin_telling(node, 0).await.expect("begins");
    assert_eq!(alarms.to_tell(node).await, told, "it has nothing yet");
    alarms.table.on_kept(node, told[0].number).await.expect("kept");
    assert_eq!(alarms.to_tell(node).await, []);
    alarms.table.begin_telling(node, told[0].number).await.expect("begins");
    assert_eq!(alarms.to_tell(node).await, [], "another session");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_writes_into_an_alarm_for_the_first_time_is_told_what_others_wrote_before() {
    let mut alarms = Alarms::new().await;
    let node = alarms.lane.key.node;
    let elsewhere = node_place(alarms.world.node("other").await.node_id);
    let before = raised(elsewhere);
    alarms.table.keep(&before, at(1)).await.expect("kept");
    let mut history = History::try_from(before.clone()).expect("a history");
    let commented = act(&mut history, Place::Hub, &Request::Acknowledge { notices: None }, 2);
    alarms.table.keep(&commented, at(2)).await.expect("kept");
    assert_eq!(alarms.to_tell(node).await, []);

    let here = act(&mut history, alarms.here(), &Request::Assign { to: Some("kari".to_owned()) }, 3);
    alarms.send_pieces(std::slice::from_ref(&here)).await;
    let told = alarms.to_tell(node).await;
    assert_eq!(decoded(&told), [before, commented.clone()]);
    assert!(told[0].number < told[1].number);
    let Place::Node(other) = elsewhere else { panic!("a node") };
    let told = alarms.to_tell(Uuid::from_bytes(other.0)).await;
    assert_eq!(decoded(&told), [commented, here], "and the other one what came then");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_lost_what_it_was_told_or_comes_from_another_database_is_told_everything_again() {
    let mut alarms = Alarms::new().await;
    let node = alarms.lane.key.node;
    let raised = raised(alarms.here());
    alarms.send_pieces(std::slice::from_ref(&raised)).await;
    let mut history = History::try_from(raised.clone()).expect("a history");
    let acknowledged = act(&mut history, Place::Hub, &Request::Acknowledge { notices: None }, 2);
    alarms.table.keep(&acknowledged, at(2)).await.expect("kept");
    let told = alarms.to_tell(node).await;
    alarms.table.begin_telling(node, 0).await.expect("begins");
    alarms.table.on_kept(node, told[0].number).await.expect("kept");

    for said in [0, i64::MAX] {
        alarms.table.begin_telling(node, said).await.expect("begins");
        let again = alarms.to_tell(node).await;
        assert_eq!(decoded(&again), [raised.clone(), acknowledged.clone()], "what it wrote itself with it");
        assert!(again[0].number > told[0].number, "under other numbers");
        let last = again.last().expect("two").number;
        alarms.table.on_kept(node, last).await.expect("kept");
        assert_eq!(alarms.to_tell(node).await, []);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_become_visible_in_their_order() {
    let alarms = Alarms::new().await;
    let names = || (0..40).map(|number| format!("/Test/p{number}"));
    let writing = names().map(|name| {
        let table = alarms.table.clone();
        async move {
            let piece =
                said(Place::Hub, &subject("test", &name), &[(1, Some(AlarmSeverity::Watch))]).remove(0);
            table.keep(&piece, at(1)).await.expect("kept");
        }
    });
    let reading = async {
        let (mut seen, mut after) = (0, 0);
        while seen < names().count() {
            let (entries, last) = alarms.table.changes(after).await.expect("answers");
            seen += entries.len();
            after = last;
        }
        seen
    };
    let (_, seen) = futures_util::join!(futures_util::future::join_all(writing), reading);
    assert_eq!(seen, names().count(), "whoever reads on behind the last one misses none");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_alarm_is_read_by_pages_and_dropped_when_it_is_old_and_an_open_one_never() {
    let alarms = Alarms::new().await;
    let warning = Some(AlarmSeverity::Warning);
    let pieces: Vec<Piece> = (1..=5)
        .map(|second| said(Place::Hub, &subject("test", "/Test/number"), &[(second, warning)]).remove(0))
        .collect();
    for piece in &pieces {
        alarms.table.keep(piece, at(10)).await.expect("kept");
    }
    let known = alarms.known("test").await;
    for entry in known.iter().take(4) {
        let alarm = entry.piece.alarm();
        assert!(
            !alarms.table.close("test", alarm, entry.number - 1).await.expect("answers"),
            "not its newest"
        );
        assert!(alarms.table.close("test", alarm, entry.number).await.expect("answers"));
    }
    let from = (GenerationTime(at(100)), AlarmId([0; 16]));
    let page = alarms.table.closed_before("test", from, 3).await.expect("answers");
    let firsts: Vec<i64> = page.iter().map(|history| (history.first().0.0 - BEGINNING) / SECOND).collect();
    assert_eq!(firsts, [4, 3, 2]);
    let behind = page.last().map(|last| (last.first(), last.alarm())).expect("three");
    let page = alarms.table.closed_before("test", behind, 3).await.expect("answers");
    assert_eq!(page.len(), 1);
    assert_eq!(alarms.table.start("test", 2).await.expect("answers").entries.len(), 3, "two closed ones");

    let day = 86_400;
    let database = &alarms.world.database;
    alarms.world.archive().await;
    let drop_old = async |now| drop_old(database, "test", 1, now).await.expect("answers");
    drop_old(at(10 + 2 * day)).await;
    assert_eq!(alarms.known("test").await.len(), 5, "kept for ever unless somebody says otherwise");
    assert!(keep(database, "test", Kept::RollUps, Some(2)).await.expect("answers"));
    drop_old(at(10 + 2 * day)).await;
    assert_eq!(alarms.known("test").await.len(), 5, "known two days ago, and no less");
    drop_old(at(11 + 2 * day)).await;
    let left = alarms.known("test").await;
    assert_eq!(left.iter().map(|entry| &entry.piece).collect::<Vec<_>>(), [&pieces[4]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_act_reopens_a_closed_alarm_until_it_is_looked_at_again() {
    let alarms = Alarms::new().await;
    let raised = raised(Place::Hub);
    alarms.table.keep(&raised, at(1)).await.expect("kept");
    let number = alarms.known("test").await[0].number;
    assert!(alarms.table.close("test", raised.alarm(), number).await.expect("answers"));
    assert!(alarms.table.start("test", 0).await.expect("answers").entries.is_empty());
    let mut history = History::try_from(raised.clone()).expect("a history");
    let judged = act(&mut history, Place::Hub, &Request::Assign { to: Some("kari".to_owned()) }, 2);
    alarms.table.keep(&judged, at(2)).await.expect("kept");
    assert_eq!(alarms.table.start("test", 0).await.expect("answers").entries.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_about_a_mission_sees_no_alarm_of_another() {
    let alarms = Alarms::new().await;
    for mission in ["test", "zebra"] {
        let piece = said(Place::Hub, &subject(mission, "/P"), &[(1, Some(AlarmSeverity::Watch))]).remove(0);
        alarms.table.keep(&piece, at(1)).await.expect("kept");
    }
    let question = alarms.world.database.borrow_for_question("test").await.expect("a connection");
    for table in ["alarm", "alarm_entry"] {
        let rows = question.query(&format!("SELECT mission FROM {table}"), &[]).await.expect("answers");
        assert_eq!(rows.iter().map(|row| row.get::<_, &str>(0)).collect::<Vec<_>>(), ["test"], "{table}");
    }
    question.finish().await.expect("over");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_that_is_damaged_in_the_table_takes_no_other_with_it() {
    let mut alarms = Alarms::new().await;
    let here = alarms.here();
    let raised = raised(here);
    let other = said(here, &subject("test", "/Test/other"), &[(1, Some(AlarmSeverity::Watch))]).remove(0);
    alarms.send_pieces(&[raised.clone(), other.clone()]).await;
    let client = alarms.world.database.connect().await.expect("connects");
    let sql = "UPDATE alarm_entry SET piece = '\\x01ff' WHERE alarm_id = $1";
    client.execute(sql, &[&raised.alarm().0.as_slice()]).await.expect("answers");
    let known = alarms.known("test").await;
    assert_eq!(known.iter().map(|known| &known.piece).collect::<Vec<_>>(), [&other]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_fills_no_alarm_without_end_and_mission_control_is_told_once() {
    let mut alarms = Alarms::new().await;
    let (here, entries_max) = (alarms.here(), 4_096);
    let raised = raised(here);
    let mut acts = History::try_from(raised.clone()).expect("a history");
    let acknowledged = act(&mut acts, here, &Request::Acknowledge { notices: None }, 2);
    alarms.send_pieces(std::slice::from_ref(&raised)).await;
    for _ in 0..17 {
        let mut many = acknowledged.clone();
        many.entries = vec![many.entries[0].clone(); 256];
        many.entries.iter_mut().for_each(|entry| entry.id = EntryId(*Uuid::new_v4().as_bytes()));
        alarms.table.keep(&many, at(2)).await.expect("answers");
    }
    assert_eq!(alarms.history(raised.alarm()).await.len(), entries_max);
    let at_hub = act(&mut acts, Place::Hub, &Request::Assign { to: None }, 3);
    alarms.table.keep(&at_hub, at(3)).await.expect("kept");
    assert_eq!(alarms.history(raised.alarm()).await.len(), entries_max + 1, "others go on");
    let events = Evidence::new(alarms.world.database.clone()).events(10).await.expect("answers");
    let codes: Vec<&str> = events.iter().map(|event| event.code.as_str()).collect();
    // The older one is of the node's token.
    assert_eq!(codes, ["STO-ALARM-ENTRIES", "STO-ADMIN-ENROLMENT"]);
}
