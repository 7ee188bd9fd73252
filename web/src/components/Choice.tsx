interface Props<Value> {
  label: string
  options: { value: Value; label: string }[]
  value: Value
  onChange(value: Value): void
}

/** A row of buttons of which one is pressed. */
export function Choice<Value extends string | number | undefined>({ label, options, value, onChange }: Props<Value>) {
  return (
    <div className="choice" role="group" aria-label={label}>
      {options.map((option) => (
        <button key={option.label} aria-pressed={option.value === value}
          className={option.value === value ? 'choice-option choice-selected' : 'choice-option'}
          onClick={() => onChange(option.value)}>
          {option.label}
        </button>
      ))}
    </div>
  )
}
