// What the bands' colours and patterns mean, in words.
import { FATE_MEANINGS, FATE_WORDS, FATES } from "./bands";

export function Legend() {
  return (
    <ul className="fates" aria-label="What the bands mean">
      {FATES.toReversed().map((fate) => (
        <li key={fate} title={FATE_MEANINGS[fate]}>
          <span className={`swatch fate ${fate}`} aria-hidden="true" />
          {FATE_WORDS[fate]}
        </li>
      ))}
    </ul>
  );
}
