import { useApp } from '../../components/AppContext'
import { PageLayout } from '../../components/PageLayout'
import { format } from '../../locales'
import { device } from '../../platform/device'

export default function PrivacyPage() {
  const { texts } = useApp()
  return (
    <PageLayout page="privacy" title={texts.privacyTitle} lead={texts.privacyLead}>
      <div className="sections">
        {texts.privacySections.map(([title, text]) => (
          <section key={title} className="panel">
            <h2 className="title">{title}</h2>
            <p className="text">{format(text, { host: device.host })}</p>
          </section>
        ))}
      </div>
    </PageLayout>
  )
}
