// A page's own field for words to search by; `/` leads to it.
interface Props {
  label: string;
  value: string;
  placeholder: string;
  /** It shares its row with much else. */
  isNarrow?: boolean;
  onSearch: (words: string) => void;
}

export function SearchField({ label, value, placeholder, isNarrow = false, onSearch }: Props) {
  return (
    <span className={isNarrow ? "field" : "field grow"}>
      <input
        type="search"
        aria-label={label}
        value={value}
        placeholder={placeholder}
        onChange={(event) => onSearch(event.target.value)}
      />
      {isNarrow ? null : (
        <span className="key" aria-hidden="true">
          /
        </span>
      )}
    </span>
  );
}
