import type { PropsWithChildren } from 'react'
import './app.css'
import { Choices } from './parts/choices'

export default function App({ children }: PropsWithChildren) {
  return <Choices>{children}</Choices>
}
