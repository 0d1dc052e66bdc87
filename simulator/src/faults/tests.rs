use std::{net::Ipv4Addr, num::NonZeroU64, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, UdpSocket},
    task::yield_now,
    time::{Instant, advance, timeout},
};

use super::*;

const ANY_PORT: std::net::SocketAddr =
    std::net::SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
/// For what must come; on a machine under load that may take a while.
const DEADLINE: Duration = Duration::from_secs(20);

/// A client, a proxy and an upstream, all on this machine.
struct Udp {
    client: UdpSocket,
    proxy: FaultProxy,
    upstream: UdpSocket,
}

impl Udp {
    async fn with(profile: FaultProfile) -> Self {
        let upstream = UdpSocket::bind(ANY_PORT).await.expect("a free port");
        let address = upstream.local_addr().expect("bound");
        let proxy = FaultProxy::udp(ANY_PORT, address, 7, profile).await.expect("a free port");
        let client = client_of(&proxy).await;
        Self { client, proxy, upstream }
    }

    async fn send(&self, text: &str) {
        self.client.send(text.as_bytes()).await.expect("the proxy is there");
    }

    async fn until(&self, reached: impl Fn(&FaultStatistics) -> bool) {
        timeout(DEADLINE, async {
            while !reached(&self.proxy.statistics()) {
                yield_now().await;
            }
        })
        .await
        .unwrap_or_else(|_| panic!("not reached: {}", self.proxy.statistics()));
    }
}

async fn client_of(proxy: &FaultProxy) -> UdpSocket {
    let client = UdpSocket::bind(ANY_PORT).await.expect("a free port");
    client.connect(proxy.address()).await.expect("an address");
    client
}

async fn receive(socket: &UdpSocket) -> (String, std::net::SocketAddr) {
    let mut buffer = [0; 2_048];
    let (length, from) =
        timeout(DEADLINE, socket.recv_from(&mut buffer)).await.expect("it comes").expect("readable");
    (String::from_utf8_lossy(&buffer[..length]).into_owned(), from)
}

/// Stops the clock: a runtime that is never idle does not advance it, only [`pass`] does.
fn hold_the_clock() {
    tokio::time::pause();
    tokio::spawn(async {
        loop {
            yield_now().await;
        }
    });
}

/// Lets everything happen that is due.
async fn settle() {
    for _ in 0..1_000 {
        yield_now().await;
    }
}

/// Moves the clock.
async fn pass(time: Duration) {
    advance(time).await;
    settle().await;
}

/// Datagrams that are there.
fn arrived(socket: &UdpSocket) -> Vec<String> {
    let mut buffer = [0; 2_048];
    let texts =
        std::iter::from_fn(|| socket.try_recv(&mut buffer).ok().map(|length| buffer[..length].to_vec()));
    texts.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).collect()
}

fn both(faults: DirectionFaults) -> FaultProfile {
    FaultProfile::symmetric(faults)
}

/// An upstream, a proxy, and a connection through it.
struct Tcp {
    client: TcpStream,
    proxy: FaultProxy,
    upstream: TcpStream,
}

impl Tcp {
    async fn with(profile: FaultProfile) -> Self {
        let listener = TcpListener::bind(ANY_PORT).await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let proxy = FaultProxy::tcp(ANY_PORT, address, 7, profile).await.expect("a free port");
        let client = TcpStream::connect(proxy.address()).await.expect("the proxy accepts");
        let (upstream, _) = timeout(DEADLINE, listener.accept()).await.expect("it comes").expect("accepted");
        Self { client, proxy, upstream }
    }
}

async fn read(stream: &mut TcpStream, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    timeout(DEADLINE, stream.read_exact(&mut bytes)).await.expect("they come").expect("readable");
    bytes
}

#[tokio::test]
async fn datagrams_of_many_clients_reach_the_upstream_and_each_gets_its_own_answers() {
    let udp = Udp::with(FaultProfile::clean()).await;
    let mut clients = Vec::new();
    for number in 0..20 {
        let client = client_of(&udp.proxy).await;
        client.send(format!("question {number}").as_bytes()).await.expect("the proxy is there");
        clients.push(client);
    }
    for _ in &clients {
        let (question, from) = receive(&udp.upstream).await;
        let answer = question.replace("question", "answer");
        udp.upstream.send_to(answer.as_bytes(), from).await.expect("the proxy is there");
    }
    for (number, client) in clients.iter().enumerate() {
        assert_eq!(receive(client).await.0, format!("answer {number}"));
    }
    let figures = udp.proxy.statistics();
    assert_eq!((figures.clients, figures.clients_now), (20, 20));
    assert_eq!((figures.to_upstream.forwarded, figures.to_client.forwarded), (20, 20));
    assert!(figures.to_upstream.dropped.is_empty() && figures.to_client.dropped.is_empty(), "{figures}");
}

#[tokio::test]
async fn one_direction_can_lose_everything_while_the_other_loses_nothing() {
    let all = DirectionFaults { loss_percent: 100.0, ..DirectionFaults::default() };
    let udp = Udp::with(FaultProfile { to_client: all, ..FaultProfile::clean() }).await;
    udp.send("one").await;
    let (_, from) = receive(&udp.upstream).await;
    udp.upstream.send_to(b"never", from).await.expect("the proxy is there");
    udp.until(|figures| figures.to_client.dropped_by(Cause::Loss) == 1).await;
    udp.proxy.set(FaultProfile::clean());
    udp.upstream.send_to(b"again", from).await.expect("the proxy is there");
    assert_eq!(receive(&udp.client).await.0, "again");
}

#[tokio::test]
async fn every_datagram_arrives_twice_when_all_are_duplicated() {
    let twice = DirectionFaults { duplicate_percent: 100.0, ..DirectionFaults::default() };
    let udp = Udp::with(both(twice)).await;
    for text in ["one", "two"] {
        udp.send(text).await;
        assert_eq!(receive(&udp.upstream).await.0, text);
        assert_eq!(receive(&udp.upstream).await.0, text);
    }
    let figures = udp.proxy.statistics().to_upstream;
    assert_eq!((figures.received, figures.duplicated, figures.forwarded), (2, 2, 4));
}

#[tokio::test]
async fn a_corrupted_datagram_differs_by_one_bit() {
    let corrupt = DirectionFaults { corrupt_percent: 100.0, ..DirectionFaults::default() };
    let udp = Udp::with(both(corrupt)).await;
    let sent = [0; 1_000];
    udp.client.send(&sent).await.expect("the proxy is there");
    let mut received = [0; 1_001];
    let length =
        timeout(DEADLINE, udp.upstream.recv(&mut received)).await.expect("it comes").expect("readable");
    assert_eq!(length, sent.len());
    assert_eq!(received.iter().map(|byte| byte.count_ones()).sum::<u32>(), 1);
}

#[tokio::test]
async fn a_datagram_that_is_held_back_arrives_behind_the_next() {
    hold_the_clock();
    let late = DirectionFaults {
        reorder_percent: 100.0,
        reorder_by: Duration::from_secs(3),
        ..DirectionFaults::default()
    };
    let udp = Udp::with(both(late)).await;
    udp.send("first").await;
    settle().await;
    udp.proxy.set(FaultProfile::clean());
    udp.send("second").await;
    settle().await;
    assert_eq!(arrived(&udp.upstream), ["second"]);
    pass(Duration::from_millis(3_001)).await;
    assert_eq!(arrived(&udp.upstream), ["first"]);
    assert_eq!(udp.proxy.statistics().to_upstream.held_back, 1);
}

#[tokio::test]
async fn each_direction_has_a_delay_of_its_own() {
    hold_the_clock();
    let delayed =
        |millis| DirectionFaults { delay: Duration::from_millis(millis), ..DirectionFaults::default() };
    let profile = FaultProfile { to_upstream: delayed(300), to_client: delayed(100), outages: None };
    let udp = Udp::with(profile).await;
    udp.send("there").await;
    settle().await;
    pass(Duration::from_millis(299)).await;
    assert!(arrived(&udp.upstream).is_empty());
    // The runtime's timers round up to a millisecond.
    pass(Duration::from_millis(2)).await;
    let mut buffer = [0; 16];
    let (_, from) = udp.upstream.try_recv_from(&mut buffer).expect("it is there");
    udp.upstream.send_to(b"and back", from).await.expect("the proxy is there");
    settle().await;
    pass(Duration::from_millis(99)).await;
    assert!(arrived(&udp.client).is_empty());
    pass(Duration::from_millis(2)).await;
    assert_eq!(arrived(&udp.client), ["and back"]);
    assert_eq!(udp.proxy.statistics().to_client.delayed, 1);
}

#[tokio::test]
async fn datagrams_come_at_the_rate_and_what_the_queue_cannot_hold_is_dropped() {
    hold_the_clock();
    let slow = DirectionFaults {
        rate_bits_per_s: NonZeroU64::new(80_000),
        queue_bytes: 40_000,
        ..DirectionFaults::default()
    };
    let udp = Udp::with(both(slow)).await;
    for _ in 0..100 {
        udp.client.send(&[b'x'; 1_000]).await.expect("the proxy is there");
    }
    settle().await;
    let (mut received, begun) = (0, Instant::now());
    for _ in 0..50 {
        pass(Duration::from_millis(100)).await;
        received += arrived(&udp.upstream).len();
        let most = begun.elapsed().as_secs_f64() * 10.0;
        assert!(received as f64 <= most, "{received} of 1,000 bytes after {:?}", begun.elapsed());
    }
    assert_eq!(received, 40);
    assert_eq!(udp.proxy.statistics().to_upstream.dropped_by(Cause::QueueFull), 60);
}

#[tokio::test]
async fn a_half_open_link_passes_one_direction_only() {
    let udp = Udp::with(FaultProfile::clean()).await;
    udp.send("hello").await;
    let (_, from) = receive(&udp.upstream).await;
    udp.proxy.half_open(Direction::ToUpstream, true);
    udp.send("never").await;
    udp.until(|figures| figures.to_upstream.dropped_by(Cause::HalfOpen) == 1).await;
    udp.upstream.send_to(b"still heard", from).await.expect("the proxy is there");
    assert_eq!(receive(&udp.client).await.0, "still heard");
    udp.proxy.half_open(Direction::ToUpstream, false);
    udp.send("again").await;
    assert_eq!(receive(&udp.upstream).await, ("again".to_owned(), from));
}

#[tokio::test]
async fn a_blackhole_takes_what_is_on_its_way_and_what_comes_later() {
    hold_the_clock();
    let delayed = DirectionFaults { delay: Duration::from_secs(5), ..DirectionFaults::default() };
    let udp = Udp::with(both(delayed)).await;
    udp.send("on its way").await;
    settle().await;
    udp.proxy.blackhole(true);
    pass(Duration::from_secs(4)).await;
    udp.send("later").await;
    settle().await;
    assert_eq!(udp.proxy.statistics().to_upstream.dropped_by(Cause::Blackhole), 1);
    pass(Duration::from_secs(2)).await;
    assert_eq!(udp.proxy.statistics().to_upstream.dropped_by(Cause::Blackhole), 2);
    udp.proxy.blackhole(false);
    udp.send("after it").await;
    settle().await;
    pass(Duration::from_secs(6)).await;
    assert_eq!(arrived(&udp.upstream), ["after it"]);
}

#[tokio::test]
async fn a_cut_gives_a_udp_client_another_address_at_the_upstream() {
    let udp = Udp::with(FaultProfile::clean()).await;
    udp.send("before").await;
    let (_, before) = receive(&udp.upstream).await;
    udp.proxy.cut();
    udp.send("after").await;
    let (text, after) = receive(&udp.upstream).await;
    assert_eq!(text, "after");
    assert_ne!(before, after);
    udp.until(|figures| figures.clients_now == 1).await;
    assert_eq!((udp.proxy.statistics().clients, udp.proxy.statistics().cuts), (2, 1));
}

#[tokio::test]
async fn a_client_that_is_idle_is_forgotten_and_may_come_back() {
    hold_the_clock();
    let udp = Udp::with(FaultProfile::clean()).await;
    udp.send("hello").await;
    settle().await;
    pass(Duration::from_secs(299)).await;
    assert_eq!(udp.proxy.statistics().clients_now, 1);
    pass(Duration::from_secs(2)).await;
    assert_eq!(udp.proxy.statistics().clients_now, 0);
    udp.send("back").await;
    settle().await;
    assert_eq!(arrived(&udp.upstream), ["hello", "back"]);
    assert_eq!(udp.proxy.statistics().clients, 2);
}

#[tokio::test]
async fn an_upstream_that_is_away_for_a_while_costs_its_datagrams_but_no_client() {
    let Udp { client, proxy, upstream } = Udp::with(FaultProfile::clean()).await;
    let address = upstream.local_addr().expect("bound");
    drop(upstream);
    for _ in 0..3 {
        client.send(b"into the void").await.expect("the proxy is there");
        settle().await;
    }
    let upstream = UdpSocket::bind(address).await.expect("the port is free again");
    let udp = Udp { client, proxy, upstream };
    udp.send("hello").await;
    let (text, from) = receive(&udp.upstream).await;
    assert_eq!(text, "hello");
    udp.upstream.send_to(b"answer", from).await.expect("the proxy is there");
    assert_eq!(receive(&udp.client).await.0, "answer");
    assert_eq!(udp.proxy.statistics().clients, 1);
}

#[tokio::test]
async fn a_profile_with_outages_goes_dark_and_comes_back_by_itself() {
    hold_the_clock();
    let outages = Outages {
        between: Duration::from_secs(10)..Duration::from_secs(10),
        lasting: Duration::from_secs(30)..Duration::from_secs(30),
        cut_percent: 0.0,
    };
    let udp = Udp::with(FaultProfile { outages: Some(outages), ..FaultProfile::clean() }).await;
    settle().await;
    // Dark from 10 to 40 and from 50 s on.
    for (time, text) in [(9, "before"), (2, "during"), (30, "between"), (10, "again dark")] {
        pass(Duration::from_secs(time)).await;
        udp.send(text).await;
        settle().await;
    }
    assert_eq!(arrived(&udp.upstream), ["before", "between"]);
    assert_eq!(udp.proxy.statistics().to_upstream.dropped_by(Cause::Blackhole), 2);
    udp.proxy.set(FaultProfile::clean());
    udp.send("set clean").await;
    pass(Duration::from_secs(100)).await;
    udp.send("for good").await;
    settle().await;
    assert_eq!(arrived(&udp.upstream), ["set clean", "for good"]);
}

#[tokio::test]
async fn a_profile_cuts_by_itself() {
    hold_the_clock();
    let outages = Outages {
        between: Duration::from_secs(10)..Duration::from_secs(10),
        lasting: Duration::ZERO..Duration::ZERO,
        cut_percent: 100.0,
    };
    let udp = Udp::with(FaultProfile { outages: Some(outages), ..FaultProfile::clean() }).await;
    settle().await;
    for _ in 0..3 {
        pass(Duration::from_millis(10_001)).await;
    }
    assert_eq!(udp.proxy.statistics().cuts, 3);
}

#[tokio::test]
async fn a_proxy_that_is_dropped_gives_its_address_back() {
    let udp = Udp::with(FaultProfile::clean()).await;
    udp.send("hello").await;
    receive(&udp.upstream).await;
    let address = udp.proxy.address();
    drop(udp);
    let again = async {
        while UdpSocket::bind(address).await.is_err() {
            yield_now().await;
        }
    };
    timeout(DEADLINE, again).await.expect("the tasks end");
}

#[tokio::test]
async fn a_stream_arrives_whole_and_in_order_over_the_worst_link() {
    let bad = DirectionFaults {
        jitter: Duration::from_millis(3),
        duplicate_percent: 50.0,
        reorder_percent: 50.0,
        reorder_by: Duration::from_millis(5),
        corrupt_percent: 50.0,
        rate_bits_per_s: NonZeroU64::new(80_000_000),
        queue_bytes: 20_000,
        ..DirectionFaults::default()
    };
    let Tcp { mut client, proxy, mut upstream } = Tcp::with(both(bad)).await;
    let sent: Vec<u8> = (0..300_000_u32).map(|place| (place % 251) as u8).collect();
    let (written, received) = tokio::join!(client.write_all(&sent), read(&mut upstream, sent.len()));
    written.expect("it is taken");
    assert!(received == sent);
    upstream.write_all(b"thanks").await.expect("it is taken");
    assert_eq!(read(&mut client, 6).await, b"thanks");
    assert_eq!(proxy.statistics().to_upstream.forwarded_bytes, sent.len() as u64);
}

#[tokio::test]
async fn the_end_of_one_direction_passes_and_leaves_the_other_open() {
    let Tcp { mut client, proxy, mut upstream } = Tcp::with(FaultProfile::clean()).await;
    client.write_all(b"all of it").await.expect("it is taken");
    client.shutdown().await.expect("it is connected");
    let mut received = Vec::new();
    timeout(DEADLINE, upstream.read_to_end(&mut received)).await.expect("it ends").expect("readable");
    assert_eq!(received, b"all of it");
    upstream.write_all(b"answer").await.expect("it is taken");
    drop(upstream);
    let mut answer = Vec::new();
    timeout(DEADLINE, client.read_to_end(&mut answer)).await.expect("it ends").expect("no reset");
    assert_eq!(answer, b"answer");
    assert_eq!(proxy.statistics().clients, 1);
}

#[tokio::test]
async fn a_stream_comes_at_the_rate_and_is_not_read_faster() {
    hold_the_clock();
    let slow = DirectionFaults {
        rate_bits_per_s: NonZeroU64::new(800_000),
        queue_bytes: 30_000,
        ..DirectionFaults::default()
    };
    let listener = TcpListener::bind(ANY_PORT).await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    let proxy = FaultProxy::tcp(ANY_PORT, address, 7, both(slow)).await.expect("a free port");
    let mut client = TcpStream::connect(proxy.address()).await.expect("the proxy accepts");
    let (upstream, _) = listener.accept().await.expect("accepted");
    tokio::spawn(async move { client.write_all(&vec![7; 300_000]).await });
    settle().await;
    let (mut received, mut buffer, begun) = (0, vec![0; 65_536], Instant::now());
    for _ in 0..40 {
        pass(Duration::from_millis(100)).await;
        while let Ok(length @ 1..) = upstream.try_read(&mut buffer) {
            received += length;
        }
        let most = begun.elapsed().as_secs_f64() * 100_000.0;
        assert!(received as f64 <= most, "{received} bytes after {:?}", begun.elapsed());
        let figures = proxy.statistics().to_upstream;
        // In chunks of 16 KiB: the queue, and the one that is being sent.
        assert!(figures.received - figures.forwarded <= 4, "{figures}");
    }
    assert_eq!(received, 300_000);
}

#[tokio::test]
async fn a_stream_waits_while_its_direction_is_half_open_and_goes_on_afterwards() {
    let Tcp { mut client, proxy, mut upstream } = Tcp::with(FaultProfile::clean()).await;
    client.write_all(b"one").await.expect("it is taken");
    assert_eq!(read(&mut upstream, 3).await, b"one");
    proxy.half_open(Direction::ToUpstream, true);
    client.write_all(b"two").await.expect("it is taken");
    // What the other direction carries meanwhile shows that the connection lives.
    upstream.write_all(b"still there?").await.expect("it is taken");
    assert_eq!(read(&mut client, 12).await, b"still there?");
    assert_eq!(proxy.statistics().to_upstream.forwarded_bytes, 3);
    proxy.half_open(Direction::ToUpstream, false);
    assert_eq!(read(&mut upstream, 3).await, b"two");
}

#[tokio::test]
async fn a_connection_made_in_a_blackhole_reaches_the_upstream_after_it() {
    let listener = TcpListener::bind(ANY_PORT).await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    let proxy = FaultProxy::tcp(ANY_PORT, address, 7, FaultProfile::clean()).await.expect("a free port");
    proxy.blackhole(true);
    let mut client = TcpStream::connect(proxy.address()).await.expect("the kernel accepts");
    client.write_all(b"hello").await.expect("the kernel takes it");
    timeout(DEADLINE, async {
        while proxy.statistics().clients_now == 0 {
            yield_now().await;
        }
    })
    .await
    .expect("the proxy accepts");
    proxy.blackhole(false);
    let (mut upstream, _) = timeout(DEADLINE, listener.accept()).await.expect("it comes").expect("accepted");
    assert_eq!(read(&mut upstream, 5).await, b"hello");
}

#[tokio::test]
async fn a_cut_resets_connections_on_both_sides_and_takes_new_ones() {
    let Tcp { mut client, proxy, mut upstream } = Tcp::with(FaultProfile::clean()).await;
    // Until bytes passed, the proxy's side of the handshake may not be through, and such a connection just ends.
    client.write_all(b"hello").await.expect("it is taken");
    read(&mut upstream, 5).await;
    proxy.cut();
    for stream in [&mut client, &mut upstream] {
        let ended = timeout(DEADLINE, stream.read(&mut [0; 8])).await.expect("it ends");
        assert_eq!(ended.expect_err("it is no orderly end").kind(), std::io::ErrorKind::ConnectionReset);
    }
    TcpStream::connect(proxy.address()).await.expect("the proxy is still there");
}

#[tokio::test]
async fn a_client_of_an_upstream_that_is_not_there_is_reset() {
    let gone = TcpListener::bind(ANY_PORT).await.and_then(|listener| listener.local_addr()).expect("a port");
    let proxy = FaultProxy::tcp(ANY_PORT, gone, 7, FaultProfile::clean()).await.expect("a free port");
    let mut client = TcpStream::connect(proxy.address()).await.expect("the proxy accepts");
    let ended = timeout(DEADLINE, client.read(&mut [0; 8])).await.expect("it ends");
    assert_eq!(ended.expect_err("it is no orderly end").kind(), std::io::ErrorKind::ConnectionReset);
}
