//! The binary as people and scripts use it.

use std::{
    io::Read,
    net::TcpListener,
    process::{Child, Command, Output, Stdio},
};

fn simulator(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_simulator"));
    command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("tcp://{}", listener.local_addr().expect("an address"));
    (listener, address)
}

fn terminate(child: Child) -> Output {
    let killed = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
    assert!(killed.expect("kill runs").success());
    child.wait_with_output().expect("it ends")
}

#[test]
fn a_flight_sends_packets_until_it_is_terminated_and_ends_well() {
    let (listener, address) = listen();
    let station = format!("svalbard={address}");
    let mut child = simulator(&["spacecraft", "--station", &station, "--always-visible", "--speed", "20"]);
    let child = child.spawn().expect("it starts");
    let (mut stream, _) = listener.accept().expect("it connects");
    stream.read_exact(&mut [0; 5_000]).expect("it sends");
    // A node reads on until the end.
    let reading = std::thread::spawn(move || stream.read_to_end(&mut Vec::new()));
    let output = terminate(child);
    assert!(output.status.success(), "{output:?}");
    let log = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(log.contains("signal acquired") && log.contains("flight ended"), "{log}");
    reading.join().expect("the thread ends").expect("the stream ends without a reset");
}

#[test]
fn a_load_sends_as_many_packets_as_it_was_told() {
    let (listener, address) = listen();
    let mut child = simulator(&["load", "--to", &address, "--rate", "100000", "--packets", "5000", "--json"]);
    let child = child.spawn().expect("it starts");
    let (mut stream, _) = listener.accept().expect("it connects");
    let mut received = Vec::new();
    stream.read_to_end(&mut received).expect("the stream ends");
    drop(stream);
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(received.len(), 5_000 * 92);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("a report");
    assert_eq!(report["sent"][0]["end"], 5_000);
}

#[test]
fn a_malformed_recording_fails_with_the_offset() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("noise.bin");
    std::fs::write(&file, [0xFF; 64]).expect("written");
    let (listener, address) = listen();
    let file = file.to_str().expect("a path");
    let child = simulator(&["replay", file, "--to", &address]).spawn().expect("it starts");
    drop(listener.accept().expect("it connects"));
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(1));
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(message.contains("no packet begins at offset 0: packet version number 7"), "{message}");
}
