import { format } from '../locales'
import { useApp } from './AppContext'
import { Choice } from './Choice'

interface Props<Value> {
  /** Sides in pixels; undefined: chosen by the service. */
  sizes: Value[]
  value: Value
  onChange(value: Value): void
}

/** Control for the smallest face to detect. */
export function MinFaceSize<Value extends number | undefined>({ sizes, value, onChange }: Props<Value>) {
  const { texts } = useApp()
  const options = sizes.map((size) => ({
    value: size,
    label: size === undefined ? texts.automatic : format(texts.pixels, { count: size }),
  }))
  return (
    <div className="setting">
      <div className="setting-name">
        {texts.minFaceSize} <span className="quiet">{texts.minFaceSizeHint}</span>
      </div>
      <Choice label={texts.minFaceSize} options={options} value={value} onChange={onChange} />
    </div>
  )
}
