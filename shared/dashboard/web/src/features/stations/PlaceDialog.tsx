// Asks where a site is.
import { useState } from "react";
import type { SitePlace } from "../../api/fleet";
import { FormDialog } from "../admin/FormDialog";

const FIELDS = {
  latitude_deg: { label: "Latitude, degrees, north positive", min: -90, max: 90 },
  longitude_deg: { label: "Longitude, degrees, east positive", min: -180, max: 180 },
  height_m: { label: "Height above the ellipsoid, metres", min: -500, max: 9000 },
  mask_deg: { label: "Hears above an elevation of, degrees", min: 0, max: 89 },
} as const;

type Field = keyof typeof FIELDS;
const NAMES = Object.keys(FIELDS) as Field[];

interface Props {
  site: string;
  place: SitePlace | null;
  busy: boolean;
  error: unknown;
  onSet: (place: SitePlace) => void;
  onClose: () => void;
}

export function PlaceDialog({ site, place, busy, error, onSet, onClose }: Props) {
  const [texts, setTexts] = useState<Record<Field, string>>(() => ({
    latitude_deg: String(place?.latitude_deg ?? ""),
    longitude_deg: String(place?.longitude_deg ?? ""),
    height_m: String(place?.height_m ?? 0),
    mask_deg: String(place?.mask_deg ?? 5),
  }));
  const wrong = NAMES.find((name) => !isWithin(name, texts[name]));
  const set = () => {
    const numbers = Object.fromEntries(NAMES.map((name) => [name, Number(texts[name])]));
    onSet(numbers as Record<Field, number>);
  };
  return (
    <FormDialog
      title={`Place of ${site}`}
      submit="Set the place"
      refusal={
        wrong === undefined
          ? null
          : `${FIELDS[wrong].label}: from ${FIELDS[wrong].min} to ${FIELDS[wrong].max}.`
      }
      busy={busy}
      error={error}
      onSubmit={set}
      onClose={onClose}
    >
      {NAMES.map((name) => (
        <label key={name}>
          {FIELDS[name].label}
          <input
            inputMode="decimal"
            value={texts[name]}
            aria-invalid={!isWithin(name, texts[name])}
            onChange={(event) => setTexts({ ...texts, [name]: event.target.value })}
          />
        </label>
      ))}
    </FormDialog>
  );
}

function isWithin(name: Field, text: string): boolean {
  const { min, max } = FIELDS[name];
  return text.trim() !== "" && Number(text) >= min && Number(text) <= max;
}
