// Versions of a mission's dictionary, and an import that looks at the text as far as the page shows it.
import type { DictionaryDocument, DictionaryImport } from "../api/admin";
import { type MockRequest, problem, stateOf } from "./answers";
import { refusedAdministration } from "./rights";

const DAY = 86_400_000;

const versionsOf = stateOf((world): DictionaryDocument[] => {
  const version = (number: number, changes: Partial<DictionaryDocument>): DictionaryDocument => ({
    number,
    name: "Aurora",
    version: `1.${number - 1}`,
    effective_from: null,
    in_force: false,
    parameter_count: 196 + number * 2,
    bytes: 412_000 + number * 700,
    file_name: "aurora.xml",
    imported_at: new Date(world.now() - (70 - number * 20) * DAY).toISOString(),
    author: "kari",
    reason: number === 1 ? null : "after the battery test",
    ...changes,
  });
  return [
    version(2, { effective_from: "2026-10-01T00:00:00Z", in_force: true }),
    version(1, { author: null }),
  ];
});

/** A text with `<bad` in it is refused at its place, one with `<same` is known already. */
export function answerDictionary({ world, method, path, url, body }: MockRequest): Response {
  const versions = versionsOf(world);
  const number = path[3];
  if (number !== undefined) return new Response(`<SpaceSystem name="Aurora" version="${number}"/>`);
  if (method === "GET") return Response.json({ versions });
  const refused = refusedAdministration(world);
  if (refused !== null) return refused;
  const text = body ?? "";
  const file = url.searchParams.get("file_name") ?? "dictionary.xml";
  const before = text.slice(0, text.indexOf("<bad")).split("\n");
  if (text.includes("<bad"))
    return problem(
      400,
      "STO-XTCE-ELEMENT",
      "The dictionary is not taken",
      `${file}:${before.length}:${(before.at(-1)?.length ?? 0) + 1}: there is no element "bad" here; nothing was imported`,
    );
  const isDryRun = url.searchParams.get("dry_run") === "true";
  const newest = versions[0]?.number ?? 0;
  const answer: DictionaryImport = {
    outcome: text.includes("<same") ? "known" : isDryRun ? "would-import" : "imported",
    number: text.includes("<same") ? newest : newest + 1,
    effective_from: url.searchParams.get("effective_from") ?? new Date(world.now()).toISOString(),
    changes: {
      parameters_before: 200,
      parameters_after: 201,
      added: ["/aurora/eps/heater_power", "/aurora/eps/<b>odd</b>"],
      added_count: 2,
      removed: ["/aurora/comms/lock"],
      removed_count: 1,
      changed: [
        {
          name: "/aurora/eps/battery_current",
          kind_before: "float",
          kind_after: "integer",
          unit_before: "A",
          unit_after: "mA",
        },
      ],
      changed_count: 1,
    },
  };
  if (answer.outcome === "imported")
    versions.unshift({
      number: answer.number,
      name: "Aurora",
      version: "2.0",
      effective_from: answer.effective_from ?? null,
      in_force: false,
      parameter_count: 201,
      bytes: text.length,
      file_name: file,
      imported_at: new Date(world.now()).toISOString(),
      author: world.session().principal,
      reason: url.searchParams.get("reason"),
    });
  return Response.json(answer);
}
