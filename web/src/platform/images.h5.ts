import type { SelectedImage } from '../core/service'

/** Returns a file with its size in pixels, 0 x 0 if this browser cannot decode it. */
export async function imageOfFile(file: Blob, name: string): Promise<SelectedImage> {
  const url = URL.createObjectURL(file)
  const image = new Image()
  image.src = url
  const [width, height] = await image.decode().then(
    () => [image.naturalWidth, image.naturalHeight] as const,
    () => [0, 0] as const,
  )
  return { name, url, width, height, source: file, release: () => URL.revokeObjectURL(url) }
}
