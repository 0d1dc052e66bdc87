// What components want to hear, put together into few named subscriptions: a connection may have sixteen.
// Holds no socket: the caller sends what `changes` says.
import type { LiveSubject } from "../types";

/** Values are for eyes. */
const VALUES_PER_S = 4;

/** Why the server does not carry a subscription out. */
export interface Refusal {
  code: string;
  detail: string;
}

/** Why no value of a parameter can be shown. */
export type Lack = "no sample" | "not known" | "waiting";

export type Purpose = "traces" | "values";
/** Subjects of which one component wants the same as the next. */
export type Shared = Extract<LiveSubject, { kind: "alarms" | "events" }>;

interface Wish {
  id: string;
  /** How many want each parameter, or the whole under an empty name. */
  users: Map<string, number>;
  subject: (names: string[]) => LiveSubject;
  purpose: Purpose | Shared["kind"];
  mission: string | null;
  isChanged: boolean;
  /** The parameters that the server was last asked for. */
  asked: readonly string[];
  /** Those of which the server has said what there is. */
  heard: ReadonlySet<string>;
  /** Questions on their way: until the server opens or refuses each, it tells of the one before. */
  unanswered: number;
  refusal: Refusal | null;
}

export interface Change {
  id: string;
  /** `null` when nobody wants it any more. */
  of: LiveSubject | null;
}

export interface Subscription {
  purpose: Wish["purpose"];
  /** `null` of the server's own events. */
  mission: string | null;
  key: string;
}

export class Wishes {
  private readonly wishes = new Map<string, Wish>();
  private readonly byId = new Map<string, { wish: Wish; key: string }>();
  private made = 0;

  /** Adds users of parameters; the function that comes back takes them away again. */
  parameters(purpose: Purpose, mission: string, names: readonly string[]): () => void {
    const wish = this.wish(`${purpose} ${mission}`, purpose, mission, (parameters) => ({
      kind: "parameters",
      mission,
      parameters,
      ...(purpose === "values" ? { rate_max_per_s: VALUES_PER_S } : {}),
    }));
    return this.use(wish, names);
  }

  shared(subject: Shared): () => void {
    const wish = this.wish(sharedKey(subject), subject.kind, subject.mission ?? null, () => subject);
    return this.use(wish, [""]);
  }

  /** What is to be said to the server since this was last asked: first what is over, because it makes room. */
  changes(): Change[] {
    const changes: Change[] = [];
    for (const [key, wish] of this.wishes) {
      if (wish.users.size > 0) continue;
      this.wishes.delete(key);
      this.byId.delete(wish.id);
      changes.push({ id: wish.id, of: null });
    }
    if (changes.length > 0) this.askAgain();
    for (const wish of this.wishes.values()) {
      if (!wish.isChanged) continue;
      wish.isChanged = false;
      wish.asked = [...wish.users.keys()];
      changes.push({ id: wish.id, of: wish.subject([...wish.asked]) });
    }
    return changes;
  }

  /** Something changed for which the server may now carry out what it refused. */
  askAgain(): void {
    for (const wish of this.wishes.values()) if (wish.refusal !== null) wish.isChanged = true;
  }

  /** What was asked over an earlier connection is answered no more. */
  onConnected(): void {
    for (const wish of this.wishes.values()) wish.unanswered = 0;
  }

  /** The server is asked what was last changed. */
  onSent(id: string): void {
    const known = this.byId.get(id);
    if (known !== undefined) known.wish.unanswered += 1;
  }

  onRefused(id: string | null | undefined, refusal: Refusal): void {
    this.onAnswered(id, refusal);
  }

  onOpened(id: string): void {
    this.onAnswered(id, null);
  }

  private onAnswered(id: string | null | undefined, refusal: Refusal | null): void {
    const known = this.byId.get(id ?? "");
    if (known === undefined) return;
    known.wish.refusal = refusal;
    known.wish.unanswered = Math.max(0, known.wish.unanswered - 1);
  }

  /** The server told all that there is of what it was asked for. */
  onSnapshot(id: string | null | undefined): void {
    const known = this.byId.get(id ?? "");
    if (known?.wish.unanswered === 0) known.wish.heard = new Set(known.wish.asked);
  }

  /** Why there is no value of a parameter, where there is none. */
  lackOf(mission: string, parameter: string): Lack {
    const wish = this.wishes.get(`values ${mission}`);
    if (wish?.heard.has(parameter)) return "no sample";
    return wish === undefined || wish.refusal === null ? "waiting" : "not known";
  }

  /** Nothing that was heard counts any more. */
  forget(): void {
    for (const wish of this.wishes.values()) wish.heard = new Set();
  }

  /** Why the server does not stream this; `null` when it does, or has not answered. */
  refusalOf(subject: Shared): Refusal | null {
    return this.wishes.get(sharedKey(subject))?.refusal ?? null;
  }

  /** The missions of which the server does not stream the values or curves that are wanted. */
  refused(): { purpose: Purpose; mission: string; refusal: Refusal }[] {
    return [...this.wishes.values()].flatMap(({ purpose, mission, refusal }) =>
      refusal !== null && mission !== null && (purpose === "values" || purpose === "traces")
        ? [{ purpose, mission, refusal }]
        : [],
    );
  }

  /** Whose an event is; `null` of a subscription that is over. */
  of(id: string | null | undefined): Subscription | null {
    const known = this.byId.get(id ?? "");
    if (known === undefined) return null;
    return { purpose: known.wish.purpose, mission: known.wish.mission, key: known.key };
  }

  isTraced(mission: string, parameter: string): boolean {
    return this.wishes.get(`traces ${mission}`)?.users.has(parameter) ?? false;
  }

  private wish(
    key: string,
    purpose: Wish["purpose"],
    mission: string | null,
    subject: Wish["subject"],
  ): Wish {
    const known = this.wishes.get(key);
    if (known !== undefined) return known;
    this.made += 1;
    const wish: Wish = {
      id: `${purpose}-${this.made}`,
      users: new Map(),
      subject,
      purpose,
      mission,
      isChanged: false,
      asked: [],
      heard: new Set(),
      unanswered: 0,
      refusal: null,
    };
    this.wishes.set(key, wish);
    this.byId.set(wish.id, { wish, key });
    return wish;
  }

  private use(wish: Wish, names: readonly string[]): () => void {
    for (const name of names) {
      const users = wish.users.get(name) ?? 0;
      wish.users.set(name, users + 1);
      if (users === 0) wish.isChanged = true;
    }
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      for (const name of names) {
        const users = (wish.users.get(name) ?? 0) - 1;
        if (users > 0) wish.users.set(name, users);
        else {
          wish.users.delete(name);
          wish.isChanged = true;
        }
      }
    };
  }
}

export function sharedKey(subject: Shared): string {
  return `${subject.kind} ${subject.mission ?? ""}`;
}
