import { useId, useState, type PropsWithChildren } from 'react'

/** Content that is hidden until its label is pressed; <details> does not exist in the mini-program. */
export function Disclosure({ label, children }: PropsWithChildren<{ label: string }>) {
  const [open, setOpen] = useState(false)
  const id = useId()
  return (
    <div className="disclosure">
      <button className="disclosure-label" aria-expanded={open} aria-controls={id} onClick={() => setOpen(!open)}>
        <span className={open ? 'disclosure-mark disclosure-open' : 'disclosure-mark'} aria-hidden="true" />
        {label}
      </button>
      <div id={id} hidden={!open}>{open && children}</div>
    </div>
  )
}
