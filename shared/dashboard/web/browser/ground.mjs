// A ground segment of real processes from the workspace's build: a hub with its own PostgreSQL, a station, a spacecraft.
import { execFile, spawn } from "node:child_process";
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { until } from "./wait.mjs";

const REPOSITORY = resolve(import.meta.dirname, "../../../..");
const BUILD = join(resolve(REPOSITORY, process.env.CARGO_TARGET_DIR ?? "target"), "debug");
/** A first start initialises a database; on a busy machine that takes many seconds. */
const READY_WITHIN_MS = 120_000;
const COMMAND_WITHIN_MS = 60_000;
/** Longer than the programs' own deadline for draining. */
const STOP_WITHIN_MS = 45_000;

// Every process works inside the folder, PostgreSQL too: so whatever works there is ours. The pipe that the shell
// waits for ends with us, even after `kill -9`.
const GUARD = `
trap '' HUP INT TERM
read -r _
ours() {
    for process in /proc/[0-9]*; do
        case $(readlink "$process/cwd") in "$1" | "$1"/*) echo "\${process#/proc/}" ;; esac
    done
}
for signal in TERM KILL; do
    tries=0
    while [ "$tries" -lt 100 ]; do
        left=$(ours "$1")
        [ -n "$left" ] || break 2
        [ "$tries" != 0 ] || kill -s "$signal" $left
        sleep 0.1
        tries=$((tries + 1))
    done
done
rm -rf "$1"
`;

const MISSION = `
[[mission]]
name = "demo"
title = "Demo spacecraft"
dictionary = ${JSON.stringify(join(REPOSITORY, "simulator/demo/demo-spacecraft.xml"))}

[mission.packet_time]
code = "cds"
offset_bytes = 6
day_bits = 16
submilliseconds = "microseconds"
`;

export class Ground {
  /** Where the hub and the stations answer, as `host:port`; kept over restarts. */
  hubHttp = "127.0.0.1:0";
  #reception = "127.0.0.1:0";
  #directory;
  #guard;
  #hub = null;
  #simulator = null;
  #stopping = false;

  /** `stations`: each with the `name` of its node and its `site`. */
  constructor(stations) {
    this.stations = stations.map((station) => ({
      ...station,
      http: "127.0.0.1:0",
      link: "127.0.0.1:0",
      process: null,
    }));
    this.#directory = realpathSync(mkdtempSync(join(tmpdir(), "sto-browser-")));
    // PostgreSQL's user must be able to enter what lies above its data.
    chmodSync(this.#directory, 0o755);
    const nodes = this.stations.map(({ name }) => name);
    for (const folder of ["hub", "hub/data", "logs", ...nodes])
      mkdirSync(join(this.#directory, folder), { mode: 0o755 });
    this.#guard = spawn("sh", ["-c", GUARD, "guard", this.#directory], {
      cwd: "/",
      detached: true,
      stdio: ["pipe", "ignore", "ignore"],
    });
  }

  async start() {
    await this.startHub();
    for (const station of this.stations) await this.#startStation(station);
    const heard = this.stations.flatMap(({ name, link }) => ["--station", `${name}=tcp://${link}`]);
    this.#simulator = this.#spawn("simulator", ["spacecraft", "--always-visible", ...heard]);
  }

  async #startStation(station) {
    const { name, site } = station;
    const [folder, file] = [join(this.#directory, name), this.#nodeFile(station)];
    this.#writeNode(station);
    const token = join(folder, "token");
    const wanted = ["--node", name, "--site", site, "--output", token];
    await this.#command("cloud-hub", "token", "create", "--config", this.#hubFile, ...wanted);
    await this.#command("edge-node", "enroll", "--config", file, "--token-file", token);
    station.process = this.#spawn("edge-node", ["run", "--config", file]);
    const ready = await this.#ready(station.process, `${name}/data`);
    station.http = ready.http;
    station.link = ready.links.telemetry;
  }

  async startHub() {
    this.#writeHub();
    this.#hub = this.#spawn("cloud-hub", ["run", "--config", this.#hubFile]);
    const ready = await this.#ready(this.#hub, "hub/data");
    this.hubHttp = ready.http;
    this.#reception = ready.reception;
  }

  /** As a power cut would. Its PostgreSQL stays, and is found again by the next start. */
  async killHub() {
    await end(this.#hub, "SIGKILL");
  }

  hubCode() {
    return this.#command("cloud-hub", "login-code", "--config", this.#hubFile);
  }

  nodeCode(station) {
    return this.#command("edge-node", "console", "--config", this.#nodeFile(station));
  }

  /** Carries out one of the hub's commands; `words` come behind its configuration. */
  hub(command, ...words) {
    return this.#command("cloud-hub", ...command, "--config", this.#hubFile, ...words);
  }

  /** A file for a command, in the ground's own folder. */
  file(name, text) {
    const path = join(this.#directory, name);
    writeFileSync(path, text);
    return path;
  }

  /** The last lines that each process printed. */
  logs() {
    return ["simulator", "edge-node", "cloud-hub"].map((program) => `${program}:\n${this.#logTail(program)}`);
  }

  /** Stops everything in order; nothing is left running, whatever the state it was in. */
  async stop() {
    this.#stopping = true;
    try {
      const nodes = this.stations.map((station) => station.process);
      for (const process of [this.#simulator, ...nodes, this.#hub])
        if (process !== null) await end(process, "SIGTERM");
    } finally {
      const gone = new Promise((resolve) => this.#guard.once("exit", resolve));
      this.#guard.stdin.end();
      await gone;
      rmSync(this.#directory, { recursive: true, force: true });
    }
  }

  get #hubFile() {
    return join(this.#directory, "hub/hub.toml");
  }

  #nodeFile({ name }) {
    return join(this.#directory, name, "edge.toml");
  }

  #writeHub() {
    const data = JSON.stringify(join(this.#directory, "hub/data"));
    writeFileSync(
      this.#hubFile,
      `data_directory = ${data}\n\n[http]\nlisten = "${this.hubHttp}"\n\n` +
        `[reception]\nlisten = "${this.#reception}"\n${MISSION}`,
    );
  }

  #writeNode(station) {
    const data = JSON.stringify(join(this.#directory, station.name, "data"));
    writeFileSync(
      this.#nodeFile(station),
      `data_directory = ${data}\n\n[http]\nlisten = "${station.http}"\n${MISSION}\n` +
        `[[link]]\nname = "telemetry"\nlisten = "${station.link}"\nmission = "demo"\nacknowledgement = "none"\n`,
    );
  }

  #spawn(program, words) {
    if (this.#stopping) throw new Error(`${program} is not started any more`);
    const log = openSync(this.#log(program), "a");
    // A group of its own: Ctrl-C reaches only us, who stop it in order.
    const options = { cwd: this.#directory, detached: true, stdio: ["ignore", log, log] };
    const process = spawn(binary(program), words, options);
    closeSync(log);
    return process;
  }

  async #command(program, ...words) {
    const options = { cwd: this.#directory, timeout: COMMAND_WITHIN_MS };
    const { stdout } = await promisify(execFile)(binary(program), words, options);
    return stdout.trim();
  }

  /** What a program writes once it is ready: of this run, and not of one that was killed. */
  #ready(process, data) {
    const path = join(this.#directory, data, "ready.json");
    return until(`${path} to be written`, READY_WITHIN_MS, () => {
      if (hasEnded(process)) throw new Error(`it ended instead of becoming ready\n${this.logs().join("\n")}`);
      const ready = existsSync(path) ? parsed(readFileSync(path, "utf8")) : null;
      return ready?.pid === process.pid ? ready : null;
    });
  }

  #log(program) {
    return join(this.#directory, "logs", `${program}.log`);
  }

  #logTail(program) {
    const path = this.#log(program);
    return existsSync(path) ? readFileSync(path, "utf8").trimEnd().split("\n").slice(-15).join("\n") : "";
  }
}

function binary(name) {
  const path = join(BUILD, name);
  if (!existsSync(path))
    throw new Error(`${path} does not exist: build it with \`cargo build --workspace --bins\``);
  return path;
}

function hasEnded(process) {
  return process.exitCode !== null || process.signalCode !== null;
}

async function end(process, signal) {
  if (hasEnded(process)) return;
  process.kill(signal);
  try {
    await until(`${process.spawnfile} to end`, STOP_WITHIN_MS, () => hasEnded(process));
  } catch (late) {
    process.kill("SIGKILL");
    throw late;
  }
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    // Half written: look again.
    return null;
  }
}
