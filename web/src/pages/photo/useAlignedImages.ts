import { useEffect, useState } from 'react'
import { alignedDrawing, copyDrawing } from '../../core/drawing'
import { toProblem, type Problem } from '../../core/problems'
import type { Analysis } from '../../core/records'
import type { SelectedImage } from '../../core/service'
import { renderImages } from '../../platform/renderer'
import type { RenderedImage } from '../../platform/types'

/** Crops the aligned faces out of the image; undefined while that takes. */
export function useAlignedImages(image: SelectedImage, analysis: Analysis) {
  const [images, setImages] = useState<RenderedImage[]>()
  const [problem, setProblem] = useState<Problem>()
  useEffect(() => {
    let current = true
    let rendered: RenderedImage[] = []
    const release = () => rendered.forEach((face) => face.release())
    crop(image, analysis).then(
      (faces) => {
        rendered = faces
        if (current) {
          setImages(faces)
        } else {
          release()
        }
      },
      (error: unknown) => current && setProblem(toProblem(error)),
    )
    return () => {
      current = false
      release()
    }
  }, [image, analysis])
  return { images, problem }
}

/** The service sends the pixels only of images that the platform cannot decode. */
async function crop(image: SelectedImage, analysis: Analysis): Promise<RenderedImage[]> {
  const faces = analysis.aligned_faces ?? []
  if (image.width > 0) {
    return renderImages(image.url, faces.map((face) => alignedDrawing(face, analysis)))
  }
  const copies = faces.map(({ file, size, png }) =>
    renderImages(`data:image/png;base64,${png ?? ''}`, [copyDrawing(file, size)]))
  return (await Promise.all(copies)).flat()
}
