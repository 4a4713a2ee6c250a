/** The errors of the S3 API: a code, an HTTP status, and a small XML document. */

interface Details {
  readonly message?: string | undefined
  /** XML that stands in the document beside code and message. */
  readonly extra?: string | undefined
  readonly headers?: Readonly<Record<string, string>> | undefined
}

/** Thrown wherever a request is refused; the server makes its answer of it. */
export class S3Error extends Error {
  readonly code: string
  readonly status: number
  readonly extra: string
  readonly headers: Readonly<Record<string, string>>

  constructor(code: string, status: number, details: Details = {}) {
    super(details.message ?? MESSAGES[code] ?? code)
    this.code = code
    this.status = status
    this.extra = details.extra ?? ''
    this.headers = details.headers ?? {}
  }

  /** The document that says so. */
  toXml(): string {
    return `<Error><Code>${this.code}</Code><Message>${escapeXml(this.message)}</Message>${this.extra}<RequestId>0</RequestId></Error>`
  }
}

const MESSAGES: Readonly<Record<string, string>> = {
  AccessDenied: 'Access Denied',
  BadDigest: 'The checksum you specified did not match what was received.',
  EntityTooSmall: 'Your proposed upload is smaller than the minimum allowed size',
  IncompleteBody: 'The request body ended before the number of bytes that its headers announced.',
  InternalError: 'We encountered an internal error. Please try again.',
  InvalidAccessKeyId: 'The AWS Access Key Id you provided does not exist in our records.',
  InvalidPart: 'One or more of the specified parts could not be found.',
  InvalidPartOrder: 'The list of parts was not in ascending order.',
  InvalidToken: 'The provided token is malformed or otherwise invalid.',
  NoSuchBucket: 'The specified bucket does not exist',
  NoSuchKey: 'The specified key does not exist.',
  NoSuchUpload:
    'The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.',
  NotImplemented: 'A header or parameter you provided implies functionality that is not implemented',
  PreconditionFailed: 'At least one of the pre-conditions you specified did not hold',
  SignatureDoesNotMatch:
    'The request signature we calculated does not match the signature you provided. Check your key and signing method.',
  SlowDown: 'Please reduce your request rate.',
  TooManyRequests: 'Please reduce your request rate.',
}

/** Text as the content of an XML element. Control characters become references, as S3 sends them. */
export function escapeXml(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: keys may hold them
  return text.replace(/[&<>"'\u0000-\u001f]/g, character => `&#${character.charCodeAt(0)};`)
}

export function unescapeXml(text: string): string {
  const named: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }
  return text.replace(/&(?:#(\d+)|#x([0-9a-f]+)|(\w+));/gi, (whole, decimal, hex, name) => {
    if (decimal !== undefined) return String.fromCodePoint(Number(decimal))
    if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16))
    return named[name] ?? whole
  })
}

/** The contents of the elements of a name, in their order. */
export function elements(xml: string, name: string): string[] {
  return [...xml.matchAll(new RegExp(`<${name}>([\\s\\S]*?)</${name}>`, 'g'))].map(match => match[1]!)
}
