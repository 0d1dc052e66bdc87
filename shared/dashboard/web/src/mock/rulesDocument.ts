// Versions of a rules document, of either sort.
import type { NewRules, RulesProblem, RulesVersion } from "../types";
import { type MockRequest, problem } from "./answers";
import type { MockWorld } from "./world";

interface Saved {
  version: RulesVersion;
  text: string;
}

/** Versions of a rules document; `problemsIn` says what is wrong with one. */
export class MockVersions {
  readonly saved: Saved[] = [];

  constructor(
    protected readonly world: MockWorld,
    private readonly problemsIn: (text: string) => RulesProblem[],
  ) {}

  get newest(): Saved {
    const newest = this.saved.at(-1);
    if (newest === undefined) throw new Error("the mock begins with versions");
    return newest;
  }

  get versions(): RulesVersion[] {
    return this.saved.map((one) => one.version).reverse();
  }

  save(text: string, reason: string, author: string): RulesVersion {
    const version = {
      number: this.saved.length + 1,
      document_version: documentVersion(text),
      author,
      reason,
      imported_at: new Date(this.world.now() - (2 - this.saved.length) * 86_400_000).toISOString(),
      problems: this.problemsIn(text),
    };
    this.saved.push({ version, text });
    return version;
  }

  answer(
    { method, path, body }: MockRequest,
    list: () => unknown,
    check: (text: string) => unknown,
  ): Response {
    const part = path[3];
    if (part === "check") return Response.json(check(JSON.parse(body ?? "{}").text));
    if (method === "PUT") {
      const wanted: NewRules = JSON.parse(body ?? "{}");
      const { number, author, reason } = this.newest.version;
      return wanted.based_on === number
        ? Response.json(this.save(wanted.text, wanted.reason, "operator"))
        : problem(
            409,
            "STO-RULES-CONFLICT",
            "Somebody else changed the rules meanwhile",
            `version ${number}, by ${author} (${reason}), is newer than the one this text is based on`,
          );
    }
    if (part === undefined) return Response.json(list());
    const found = this.saved[Number(part) - 1];
    return found === undefined
      ? problem(
          404,
          "STO-ALARM-RULES-UNKNOWN",
          "There is no such version of the rules",
          "Numbers are in the list.",
        )
      : Response.json({ version: found.version, text: found.text });
  }
}

export function documentVersion(text: string): number {
  return Number(/^version = (\d+)/m.exec(text)?.[1] ?? 0);
}

/** A mistake that the mock knows, with the column at which the line goes wrong. */
export function mistakes(text: string, mistake: RegExp, column: number, message: string): RulesProblem[] {
  return text
    .split("\n")
    .flatMap((line, index) => (mistake.test(line) ? [{ line: index + 1, column, message }] : []));
}
