import { expect, test } from "vitest";
import { countedUp, versionOf } from "./document";
import { readEscalation, withContact, withLadder } from "./escalation";
import { lineDiff, withContext } from "./lineDiff";
import { readTables } from "./toml";

const DOCUMENT = `version = 3   # count it up
flood = { alarms = 10, window = "10 min" }

[[contact]]
name = "kari"  # in summer
email = 'kari@station.example'

[[on_call]]
name = "ops"
shifts = [
  { when = "Mon-Fri 08:00-18:00", contacts = ["kari"] },
]

[[ladder]]
name = "power"
at_least = "critical"
steps = [{ to = ["on-call:ops"] }, { after = "5 min", to = ["kari", "duty \\"x\\""] }]
repeat_every = "30 min"
repeat_times = 4
`;

test("who is told, after how long and how often is read out of the text", () => {
  const read = readEscalation(DOCUMENT);
  expect(read.contacts).toEqual([{ name: "kari", way: "email kari@station.example", line: 4 }]);
  expect(read.onCall).toEqual(["ops"]);
  expect(read.ladders).toEqual([
    {
      name: "power",
      atLeast: "critical",
      steps: [
        { after: "", to: ["on-call:ops"] },
        { after: "5 min", to: ["kari", 'duty "x"'] },
      ],
      repeat: "again every 30 min, 4 times",
      line: 14,
    },
  ]);
});

test("text that is not TOML is passed over, and what stands behind it is read", () => {
  const broken = "[[contact\nname = kari\n= = =\n\u0000[[contact]]\n]]\n";
  expect(readEscalation(broken).contacts).toEqual([]);
  const tables = readTables(`${broken}[[contact]]\nsteps = [{ to = [\nname = "b"\n`);
  expect(tables.at(-1)).toEqual({ name: "contact", line: 6, values: { name: "b" } });
  expect(readTables("x = [[[[[[[[[[[[1]]]]]]]]]]]]").at(0)?.values).toEqual({});
});

test("a contact and a ladder are added, and all that stood there stays as it was", () => {
  const more = withLadder(withContact(DOCUMENT, 'o"neil', "slack", "room"), {
    name: "night",
    atLeast: "severe",
    steps: [{ after: "15 min", to: ['o"neil'] }],
  });
  expect(more.startsWith(DOCUMENT)).toBe(true);
  const read = readEscalation(more);
  expect(read.contacts.at(-1)).toMatchObject({ name: 'o"neil', way: "slack room" });
  expect(read.ladders.at(-1)).toMatchObject({ name: "night", steps: [{ after: "15 min", to: ['o"neil'] }] });
});

test("the version is counted up where it stands, and begins at 1", () => {
  expect(countedUp(DOCUMENT)).toBe(DOCUMENT.replace("version = 3", "version = 4"));
  expect(countedUp("[[rule]]\nversion = 7\n")).toBe("version = 1\n[[rule]]\nversion = 7\n");
  expect(versionOf(DOCUMENT)).toBe(3);
  expect(versionOf("[[rule]]\nversion = 7\n")).toBe(0);
});

test("a difference has each line of both texts once, and keeps what is the same", () => {
  const lines = lineDiff("a\nb\nc\nd", "a\nc\nx\nd");
  expect(lines.map(({ kind, text }) => `${kind} ${text}`)).toEqual([
    "kept a",
    "removed b",
    "kept c",
    "added x",
    "kept d",
  ]);
  expect(lines.filter(({ kind }) => kind !== "added").map(({ before }) => before)).toEqual([1, 2, 3, 4]);
  expect(lines.filter(({ kind }) => kind !== "removed").map(({ after }) => after)).toEqual([1, 2, 3, 4]);
});

test("texts too long to compare count as replaced where they differ", () => {
  const many = (word: string) => Array.from({ length: 3_000 }, (_, n) => `${word} ${n}`).join("\n");
  const lines = lineDiff(`same\n${many("old")}`, `same\n${many("new")}`);
  expect(lines.filter(({ kind }) => kind === "kept")).toHaveLength(1);
  expect(lines).toHaveLength(6_001);
});

test("lines far from any change are left out", () => {
  const before = Array.from({ length: 40 }, (_, n) => `line ${n}`);
  const after = before.with(20, "changed");
  const shown = withContext(lineDiff(before.join("\n"), after.join("\n")), 2);
  expect(shown.map((line) => line?.text ?? "…")).toEqual([
    "…",
    "line 18",
    "line 19",
    "line 20",
    "changed",
    "line 21",
    "line 22",
    "…",
  ]);
});
