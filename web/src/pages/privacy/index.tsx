import { useChosen } from '../../parts/choices'
import { Screen } from '../../parts/Screen'
import { device } from '../../platform/device'
import { fill } from '../../texts'

export default function Privacy() {
  const { texts } = useChosen()
  return (
    <Screen page="privacy" title={texts.privacyTitle} lead={texts.privacyLead}>
      <div className="parts">
        {texts.privacyParts.map(([title, text]) => (
          <section key={title} className="panel">
            <h2 className="title">{title}</h2>
            <p className="text">{fill(text, { host: device.host })}</p>
          </section>
        ))}
      </div>
    </Screen>
  )
}
