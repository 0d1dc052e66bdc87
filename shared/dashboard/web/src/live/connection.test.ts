import { describe, expect, test } from "vitest";
import type { LiveSubject } from "../types";
import { CONNECT_TIMEOUT_MS, Connection, LIVE_MS, OFFLINE_MS, SILENT_MS } from "./connection";

const SUBJECT: LiveSubject = { kind: "parameters", mission: "aurora-1", parameters: ["/a/b"] };
const OPEN = { kind: "send", request: { kind: "open", id: "a", of: SUBJECT } };
const SERVER = 1_000_000;

function opened(random = 0.5): Connection {
  const connection = new Connection(() => random);
  connection.onStart(0);
  expect(connection.nextAction(0)).toEqual({ kind: "open" });
  connection.onOpened(0);
  return connection;
}

function live(): Connection {
  const connection = opened();
  connection.onHeartbeat(0, SERVER);
  return connection;
}

describe("what is said about the connection", () => {
  test("an open socket without a heartbeat is not live", () => {
    expect(opened().health(100).state).toBe("reconnecting");
  });

  test("a heartbeat makes it live, and its age is shown", () => {
    expect(live().health(400)).toEqual({ state: "live", age: 400 });
  });

  test("an open socket that stops beating is no longer live", () => {
    const connection = live();
    expect(connection.health(LIVE_MS).state).toBe("live");
    expect(connection.health(LIVE_MS + 1)).toEqual({
      state: "reconnecting",
      downFor: LIVE_MS + 1,
      frozenAt: SERVER,
    });
  });

  test("a closed socket is not live, however fresh its last heartbeat", () => {
    const connection = live();
    connection.onClosed(100);
    expect(connection.health(200)).toEqual({ state: "reconnecting", downFor: 200, frozenAt: SERVER });
  });

  test("after a minute the word is offline, and after logging out at once", () => {
    const connection = live();
    connection.onClosed(100);
    expect(connection.health(OFFLINE_MS).state).toBe("offline");
    connection.onStop();
    expect(connection.health(101)).toEqual({ state: "offline", downFor: null, frozenAt: SERVER });
  });

  test("the server's clock runs on from the last heartbeat", () => {
    expect(live().serverNow(2_500)).toBe(SERVER + 2_500);
  });
});

describe("opening again", () => {
  function delays(random: number, attempts: number): number[] {
    const connection = opened(random);
    let now = 0;
    return Array.from({ length: attempts }, () => {
      connection.onClosed(now);
      const due = connection.nextWakeup() ?? 0;
      const delay = due - now;
      expect(connection.nextAction(due - 1)).toBeNull();
      expect(connection.nextAction(due)).toEqual({ kind: "open" });
      now = due;
      return delay;
    });
  }

  test("the delay doubles up to fifteen seconds, and half of it is random", () => {
    expect(delays(1, 7)).toEqual([500, 1000, 2000, 4000, 8000, 15000, 15000]);
    expect(delays(0, 3)).toEqual([250, 500, 1000]);
  });

  test("a heartbeat, not a mere opening, ends the doubling", () => {
    const connection = opened(1);
    connection.onClosed(0);
    connection.nextAction(500);
    connection.onOpened(500);
    connection.onClosed(500);
    expect(connection.nextWakeup()).toBe(1500);
    connection.nextAction(1500);
    connection.onOpened(1500);
    connection.onHeartbeat(1600, SERVER);
    connection.onClosed(2000);
    expect(connection.nextWakeup()).toBe(2500);
  });

  test("a silent socket is closed and replaced", () => {
    const connection = live();
    expect(connection.nextAction(SILENT_MS - 1)).toBeNull();
    expect(connection.nextAction(SILENT_MS)).toEqual({ kind: "close" });
    expect(connection.phase.kind).toBe("waiting");
  });

  test("a socket that never opens is given up", () => {
    const connection = new Connection(() => 0);
    connection.onStart(0);
    connection.nextAction(0);
    expect(connection.nextAction(CONNECT_TIMEOUT_MS)).toEqual({ kind: "close" });
  });

  test("a hint opens at once", () => {
    const connection = live();
    connection.onClosed(100);
    connection.onHint(101);
    expect(connection.nextAction(101)).toEqual({ kind: "open" });
  });

  test("stopping closes the socket and opens no other", () => {
    const connection = live();
    connection.onStop();
    expect(connection.nextAction(1)).toEqual({ kind: "close" });
    expect(connection.nextAction(1_000_000)).toBeNull();
  });
});

describe("subscriptions", () => {
  test("a subscription made before the socket opens is sent when it does", () => {
    const connection = new Connection(() => 0);
    connection.onStart(0);
    connection.onWanted("a", SUBJECT);
    expect(connection.nextAction(0)).toEqual({ kind: "open" });
    expect(connection.nextAction(1)).toBeNull();
    connection.onOpened(2);
    expect(connection.nextAction(2)).toEqual(OPEN);
    expect(connection.nextAction(2)).toBeNull();
  });

  test("over a new socket all subscriptions are opened again where they were", () => {
    const connection = live();
    connection.onWanted("a", SUBJECT);
    connection.onWanted("b", { kind: "nodes" });
    expect(connection.nextAction(1)).toEqual(OPEN);
    connection.nextAction(1);
    connection.onCursor("a", "here");
    connection.onClosed(2);
    connection.nextAction(connection.nextWakeup() ?? 0);
    connection.onOpened(600);
    expect(connection.nextAction(600)).toEqual({
      kind: "send",
      request: { kind: "open", id: "a", of: SUBJECT, resume: "here" },
    });
    expect(connection.nextAction(600)).toEqual({
      kind: "send",
      request: { kind: "open", id: "b", of: { kind: "nodes" } },
    });
    expect(connection.nextAction(600)).toBeNull();
  });

  test("several changes before the next sending are one", () => {
    const connection = live();
    connection.onWanted("a", { kind: "nodes" });
    connection.onWanted("a", SUBJECT);
    expect(connection.nextAction(1)).toEqual(OPEN);
    expect(connection.nextAction(1)).toBeNull();
  });

  test("what nobody wants any more is closed, and not opened again", () => {
    const connection = live();
    connection.onWanted("a", SUBJECT);
    connection.nextAction(1);
    connection.onUnwanted("a");
    expect(connection.nextAction(2)).toEqual({ kind: "send", request: { kind: "close", id: "a" } });
    connection.onClosed(3);
    connection.nextAction(connection.nextWakeup() ?? 0);
    connection.onOpened(600);
    expect(connection.nextAction(600)).toBeNull();
  });
});
