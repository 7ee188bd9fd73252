import { useEffect, useRef, useState, type DragEvent } from 'react'
import { Problem, asProblem } from '../core/problems'
import type { Picture } from '../core/service'
import example from '../../../examples/astronaut.jpg'
import type { ChooserProps, Part } from './contract'
import { useShown } from './shown'

const TYPES = 'image/jpeg,image/png,image/webp,image/bmp,image/tiff,image/gif'

export const Chooser: Part<ChooserProps> = ({ texts, small, onPicture, onProblem }) => {
  const files = useRef<HTMLInputElement>(null)
  const shooter = useRef<HTMLInputElement>(null)
  const [over, setOver] = useState(false)
  const shown = useShown()
  const turn = useRef(0)

  /** Hands on what was chosen last, whichever is ready first. */
  const open = async (opening: Promise<Picture>) => {
    const mine = (turn.current += 1)
    try {
      const picture = await opening
      if (mine === turn.current) {
        onPicture(picture)
      } else {
        picture.release()
      }
    } catch (error) {
      onProblem(asProblem(error))
    }
  }
  const take = (list: FileList | undefined | null) => {
    const file = list?.[0]
    if (file && shown.current) {
      void open(pictureOf(file, file.name))
    }
  }
  usePaste(take)
  useEffect(() => onWholePage(setOver, take), [onPicture])

  const buttons = (
    <div className={small ? 'row row-above' : 'row'}>
      <button className="button button-main" onClick={() => files.current?.click()}>
        {small ? texts.another : texts.choose}
      </button>
      <button className="button touch-only" onClick={() => shooter.current?.click()}>
        {texts.shoot}
      </button>
      {!small && (
        <button className="button" onClick={() => void open(exampleOf())}>
          {texts.example}
        </button>
      )}
      <input ref={files} id="file" className="away" type="file" accept={TYPES} tabIndex={-1} aria-hidden="true"
        onChange={({ target }) => { take(target.files); target.value = '' }} />
      <input ref={shooter} className="away" type="file" accept="image/*" capture="environment" tabIndex={-1}
        aria-hidden="true" onChange={({ target }) => { take(target.files); target.value = '' }} />
    </div>
  )
  if (small) {
    return buttons
  }
  return (
    <div className={over ? 'drop drop-over' : 'drop'}>
      <div className="drop-mark" aria-hidden="true" />
      <p className="drop-title mouse-only">{texts.dropHere}</p>
      <p className="drop-title touch-only">{texts.tapHere}</p>
      {buttons}
      <p className="quiet">{texts.formats}</p>
    </div>
  )
}

/** A file with its size in pixels, as far as this browser can tell. */
async function pictureOf(file: Blob, name: string): Promise<Picture> {
  const address = URL.createObjectURL(file)
  const image = new Image()
  image.src = address
  const [width, height] = await image.decode().then(
    () => [image.naturalWidth, image.naturalHeight] as const,
    () => [0, 0] as const,
  )
  return { name, url: address, width, height, source: file, release: () => URL.revokeObjectURL(address) }
}

async function exampleOf(): Promise<Picture> {
  const response = await fetch(example).catch(() => {
    throw new Problem('unreachable')
  })
  return pictureOf(await response.blob(), 'astronaut.jpg')
}

function usePaste(take: (list: FileList | undefined) => void): void {
  const latest = useRef(take)
  latest.current = take
  useEffect(() => {
    const onPaste = (event: ClipboardEvent) => latest.current(event.clipboardData?.files)
    document.addEventListener('paste', onPaste)
    return () => document.removeEventListener('paste', onPaste)
  }, [])
}

/** A picture may be dropped anywhere: a near miss must not make the browser leave the page. */
function onWholePage(setOver: (over: boolean) => void, take: (list: FileList | null | undefined) => void): () => void {
  const onOver = (event: Event) => {
    event.preventDefault()
    setOver(true)
  }
  const onLeave = () => setOver(false)
  const onDrop = (event: Event) => {
    event.preventDefault()
    setOver(false)
    take((event as unknown as DragEvent).dataTransfer?.files)
  }
  document.addEventListener('dragover', onOver)
  document.addEventListener('dragleave', onLeave)
  document.addEventListener('drop', onDrop)
  return () => {
    document.removeEventListener('dragover', onOver)
    document.removeEventListener('dragleave', onLeave)
    document.removeEventListener('drop', onDrop)
  }
}
