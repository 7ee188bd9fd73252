import { useEffect, useRef, useState, type DragEvent } from 'react'
import { toProblem } from '../core/problems'
import { imageOfFile } from './images.h5'
import type { Component, ImagePickerProps } from './types'
import { usePageVisible } from './visibility'

const TYPES = 'image/jpeg,image/png,image/webp,image/avif,image/bmp,image/tiff,image/gif'

type Files = FileList | undefined | null

export const ImagePicker: Component<ImagePickerProps> = ({ texts, compact, onImage, onProblem }) => {
  const fileInput = useRef<HTMLInputElement>(null)
  const cameraInput = useRef<HTMLInputElement>(null)
  const [dragging, setDragging] = useState(false)
  const visible = usePageVisible()
  const latest = useRef(0)

  /** Passes on the file selected last, whichever is decoded first. */
  const open = async (file: File) => {
    const turn = (latest.current += 1)
    try {
      const image = await imageOfFile(file, file.name)
      if (turn === latest.current) {
        onImage(image)
      } else {
        image.release()
      }
    } catch (error) {
      onProblem(toProblem(error))
    }
  }
  const take = (files: Files) => {
    const file = files?.[0]
    if (file && visible.current) {
      void open(file)
    }
  }
  usePaste(take)
  useEffect(() => listenForDrops(setDragging, take), [onImage])

  const buttons = (
    <div className={compact ? 'row row-above' : 'row'}>
      <button className="button button-main" onClick={() => fileInput.current?.click()}>
        {compact ? texts.chooseAnother : texts.choose}
      </button>
      <button className="button touch-only" onClick={() => cameraInput.current?.click()}>
        {texts.takePhoto}
      </button>
      <input ref={fileInput} id="file" className="offscreen" type="file" accept={TYPES} tabIndex={-1} aria-hidden="true"
        onChange={({ target }) => { take(target.files); target.value = '' }} />
      <input ref={cameraInput} className="offscreen" type="file" accept="image/*" capture="environment" tabIndex={-1}
        aria-hidden="true" onChange={({ target }) => { take(target.files); target.value = '' }} />
    </div>
  )
  if (compact) {
    return buttons
  }
  return (
    <div className={dragging ? 'drop drop-over' : 'drop'}>
      <div className="drop-mark" aria-hidden="true" />
      <p className="drop-title mouse-only">{texts.dropHere}</p>
      <p className="drop-title touch-only">{texts.tapHere}</p>
      {buttons}
      <p className="quiet">{texts.formats}</p>
    </div>
  )
}

function usePaste(take: (files: Files) => void): void {
  const latest = useRef(take)
  latest.current = take
  useEffect(() => {
    const onPaste = (event: ClipboardEvent) => latest.current(event.clipboardData?.files)
    document.addEventListener('paste', onPaste)
    return () => document.removeEventListener('paste', onPaste)
  }, [])
}

/** Accepts drops on the whole page: a near miss must not make the browser navigate to the file. */
function listenForDrops(setDragging: (dragging: boolean) => void, take: (files: Files) => void): () => void {
  const onOver = (event: Event) => {
    event.preventDefault()
    setDragging(true)
  }
  const onLeave = () => setDragging(false)
  const onDrop = (event: Event) => {
    event.preventDefault()
    setDragging(false)
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
