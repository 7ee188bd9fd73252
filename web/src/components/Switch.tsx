interface Props {
  label: string
  on: boolean
  onChange(on: boolean): void
}

/** A switch made of a button, which works by keyboard and by touch on both platforms. */
export function Switch({ label, on, onChange }: Props) {
  return (
    <button className={on ? 'switch switch-on' : 'switch'} role="switch" aria-checked={on} onClick={() => onChange(!on)}>
      <span className="switch-label">{label}</span>
      <span className="switch-track" aria-hidden="true">
        <span className="switch-knob" />
      </span>
    </button>
  )
}
