/** `sniff`: what a file is. */
import { detect } from '../../detect.ts'
import { formatDetection } from '../../sniff/detection.ts'
import { type Call, PartialFailure } from '../declare.ts'

export async function run({ positionals, flags, terminal, signal }: Call): Promise<void> {
  const detection = await detect(positionals[0]!, { signal })
  if (terminal.json) await terminal.out(`${JSON.stringify(detection)}\n`)
  else {
    const text = formatDetection(detection)
    await terminal.out(`${flags.switch('explain') === true ? text : text.split('\n')[0]}\n`)
  }
  if (detection.format === undefined) throw new PartialFailure()
}
