//! Frames over real streams.

use super::*;

struct Pair {
    _hub: HubEndpoint,
    node: Connection,
    hub_side: Connection,
}

async fn pair() -> Pair {
    let authority = Authority::new();
    let (mut hub, addresses) = bind(authority.options());
    let mut client = Client::new(authority.client_options(authority.node(Uuid::new_v4()))).unwrap();
    let node = within(client.connect(&addresses, PATIENCE)).await.unwrap();
    let hub_side = within(hub.accept()).await.unwrap().connection;
    Pair { _hub: hub, node, hub_side }
}

#[tokio::test]
async fn a_frame_arriving_in_pieces_survives_readers_that_give_up_in_between() {
    let pair = pair().await;
    let mut raw = pair.node.quinn().open_uni().await.unwrap();
    let bytes = [6, 0, 0, 0, 9, b'p', b'i', b'e', b'c', b'e'];
    raw.write_all(&bytes[..1]).await.unwrap();
    let mut reader = within(pair.hub_side.accept_uni()).await.unwrap();
    for sent in (1..bytes.len()).step_by(2) {
        within(async {
            while reader.buffered() < sent {
                let read = tokio::time::timeout(Duration::from_millis(1), reader.next()).await;
                assert!(read.is_err(), "too early: {read:?}");
            }
        })
        .await;
        raw.write_all(&bytes[sent..bytes.len().min(sent + 2)]).await.unwrap();
    }
    raw.finish().unwrap();
    let frame = within(reader.next()).await.unwrap().unwrap();
    assert_eq!((frame.kind, frame.body.as_ref()), (9, b"piece".as_slice()));
    assert_eq!(within(reader.next()).await, Ok(None));
}

#[tokio::test]
async fn frames_larger_than_the_window_arrive_whole_and_in_order() {
    let pair = pair().await;
    let mut writer = within(pair.node.open_uni()).await.unwrap();
    writer.set_priority(90);
    let writing = tokio::spawn(async move {
        for kind in 0..20u8 {
            let body = vec![kind; FRAME_LENGTH_MAX - 1];
            // Whoever gives up waiting for the window and comes back later sends no byte twice.
            while tokio::time::timeout(Duration::from_millis(1), writer.flush()).await.is_err() {}
            writer.write(kind, &[&body]).await.unwrap();
        }
        writer.finish().await.unwrap();
        writer.delivered().await.unwrap();
    });
    let mut reader = within(pair.hub_side.accept_uni()).await.unwrap();
    for kind in 0..20u8 {
        let frame = within(reader.next()).await.unwrap().unwrap();
        assert_eq!((frame.kind, frame.body.len()), (kind, FRAME_LENGTH_MAX - 1));
        assert!(frame.body.iter().all(|byte| *byte == kind));
    }
    assert_eq!(within(reader.next()).await, Ok(None));
    within(writing).await.unwrap();
    assert!(pair.node.statistics().sent_bytes > 20 * FRAME_LENGTH_MAX as u64);
}

#[tokio::test]
async fn frames_leave_with_the_flush_and_not_before() {
    let pair = pair().await;
    let mut writer = within(pair.node.open_uni()).await.unwrap();
    writer.write(1, &[b"a"]).await.unwrap();
    writer.write(2, &[b"b"]).await.unwrap();
    assert_eq!(pair.node.quinn().stats().frame_tx.stream, 0);
    writer.flush().await.unwrap();
    let mut reader = within(pair.hub_side.accept_uni()).await.unwrap();
    assert_eq!(within(reader.next()).await.unwrap().unwrap().kind, 1);
    assert_eq!(within(reader.next()).await.unwrap().unwrap().kind, 2);
}

#[tokio::test]
async fn a_stream_that_ends_within_a_frame_says_so() {
    let pair = pair().await;
    let mut raw = pair.node.quinn().open_uni().await.unwrap();
    raw.write_all(&[6, 0, 0, 0, 9, b'p']).await.unwrap();
    raw.finish().unwrap();
    let mut reader = within(pair.hub_side.accept_uni()).await.unwrap();
    assert_eq!(within(reader.next()).await, Err(FrameError::Truncated));
}

#[tokio::test]
async fn a_stream_that_was_given_up_or_is_not_wanted_says_so() {
    let pair = pair().await;
    let mut writer = within(pair.node.open_uni()).await.unwrap();
    writer.send(1, &[b"x"]).await.unwrap();
    let mut reader = within(pair.hub_side.accept_uni()).await.unwrap();
    within(reader.next()).await.unwrap();
    writer.reset(7);
    assert_eq!(within(reader.next()).await, Err(FrameError::Reset { code: 7 }));

    let mut writer = within(pair.node.open_uni()).await.unwrap();
    writer.send(1, &[b"x"]).await.unwrap();
    let mut reader = within(pair.hub_side.accept_uni()).await.unwrap();
    reader.stop(8);
    assert_eq!(within(writer.delivered()).await, Err(FrameError::Stopped { code: 8 }));
}

#[tokio::test]
async fn the_reason_for_closing_reaches_the_other_side_without_control_characters() {
    let pair = pair().await;
    pair.hub_side.close(42, "go\u{1b}[31m away\n");
    let closed = within(pair.node.closed()).await;
    assert_eq!(closed, Closed::ByPeer { code: 42, reason: "go[31m away".into() });
    assert_eq!(pair.node.close_reason(), Some(closed.clone()));
    assert_eq!(pair.node.open_bi().await.unwrap_err(), closed);
    assert_eq!(pair.hub_side.close_reason(), Some(Closed::Locally));
}
