// Which messages are shown, as the address of the delivery log says it.
import type { AlarmDelivery, DeliveryState } from "../../types";

export const STATES = ["waiting", "sent", "failed", "dropped"] as const satisfies readonly DeliveryState[];

export interface DeliveriesSearch {
  state?: DeliveryState;
  /** In the contact, the channel or what was answered. */
  q?: string;
}

export function readDeliveriesSearch(search: Record<string, unknown>): DeliveriesSearch {
  const state = STATES.find((known) => known === search.state);
  return {
    ...(state === undefined ? {} : { state }),
    ...(search.q === undefined || search.q === "" ? {} : { q: String(search.q) }),
  };
}

export function matching(
  deliveries: readonly AlarmDelivery[],
  { state, q }: DeliveriesSearch,
): AlarmDelivery[] {
  const word = (q ?? "").toLowerCase();
  return deliveries.filter(
    (one) =>
      (state === undefined || one.state === state) &&
      [one.contact, one.channel, one.problem ?? "", one.answer ?? ""].some((text) =>
        text.toLowerCase().includes(word),
      ),
  );
}
