/** The events of `diagnostics.ts` as spans and measurements of OpenTelemetry, of whichever version its API is. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { channels, type DiagnosticEvents } from './diagnostics.ts'

type Attributes = Record<string, string | number | boolean | string[]>

/** What is used of a `Span` of `@opentelemetry/api`. */
export interface TelemetrySpan {
  /** Sets attributes of the span. */
  setAttributes(attributes: Attributes): unknown
  /** Adds something that happened at this moment. */
  addEvent(name: string, attributes?: Attributes): unknown
  /** Adds an error as an event. */
  recordException(error: Error): unknown
  /** Says how it went; `code` is a `SpanStatusCode`. */
  setStatus(status: { code: number; message?: string }): unknown
  /** Ends the span. */
  end(): void
}

/** What is used of a `Tracer` of `@opentelemetry/api`. */
export interface TelemetryTracer {
  /** Begins a span. */
  startSpan(name: string, options?: { attributes?: Attributes }): TelemetrySpan
}

/** What is used of a `Meter` of `@opentelemetry/api`. */
export interface TelemetryMeter {
  /** Makes a counter, to which amounts are added. */
  createCounter(
    name: string,
    options?: { description?: string; unit?: string },
  ): {
    /** Adds an amount. */
    add(value: number, attributes?: Attributes): void
  }
}

/** What `recordTelemetry` tells; either may be left out. */
export interface TelemetryOptions {
  /** `trace.getTracer('open-iterable')`. Default: no spans. */
  readonly tracer?: TelemetryTracer | undefined
  /** `metrics.getMeter('open-iterable')`. Default: no counts. */
  readonly meter?: TelemetryMeter | undefined
}

/** `SpanStatusCode.ERROR` */
const STATUS_ERROR = 2

/**
 * Makes a span of each handle, from its opening to its end, with first byte and retries as its events, and counts rows,
 * bytes and retries. Disposing what it gives ends that; spans that are open then end where they are.
 *
 * ```ts
 * using watching = recordTelemetry({ tracer: trace.getTracer('open-iterable'), meter: metrics.getMeter('open-iterable') })
 * ```
 */
export function recordTelemetry({ tracer, meter }: TelemetryOptions): Disposable {
  const spans = new Map<object, { readonly span: TelemetrySpan; readonly label: string }>()
  const rows = meter?.createCounter('open_iterable.rows', { description: 'Rows read or written', unit: '{row}' })
  const bytes = meter?.createCounter('open_iterable.bytes', { description: 'Bytes read or written', unit: 'By' })
  const retries = meter?.createCounter('open_iterable.retries', { description: 'Operations tried again' })
  const listeners: { [K in keyof DiagnosticEvents]?: (event: DiagnosticEvents[K]) => void } = {
    open({ handle, mode, label }) {
      const span = tracer?.startSpan(`open-iterable ${mode}`, { attributes: { 'open_iterable.target': label } })
      if (span !== undefined) spans.set(handle, { span, label })
    },
    firstByte({ handle }) {
      spans.get(handle)?.span.addEvent('first byte')
    },
    batch({ mode, rows: count }) {
      rows?.add(count, { 'open_iterable.mode': mode })
    },
    retry({ label, attempt, delayMs, cause }) {
      retries?.add(1)
      // A retry knows its place, not its handle.
      for (const other of spans.values()) {
        if (other.label !== label) continue
        other.span.addEvent('retry', {
          'open_iterable.attempt': attempt,
          'open_iterable.delay_ms': delayMs,
          'exception.message': cause instanceof Error ? cause.message : String(cause),
        })
      }
    },
    error({ handle, error }) {
      const span = spans.get(handle)?.span
      const exception = error instanceof Error ? error : new Error(String(error))
      span?.recordException(exception)
      span?.setStatus({ code: STATUS_ERROR, message: exception.message })
    },
    close(event) {
      bytes?.add(event.bytes, { 'open_iterable.mode': event.mode })
      const span = spans.get(event.handle)?.span
      spans.delete(event.handle)
      span?.setAttributes({
        ...(event.format === undefined ? {} : { 'open_iterable.format': event.format }),
        'open_iterable.codecs': [...event.codecs],
        'open_iterable.rows': event.rows,
        'open_iterable.rows_skipped': event.rowsSkipped,
        'open_iterable.rows_failed': event.rowsFailed,
        'open_iterable.bytes': event.bytes,
      })
      span?.end()
    },
  }
  const subscriptions = Object.entries(listeners).map(([key, listener]) => {
    const { name } = channels[key as keyof DiagnosticEvents]
    const receive = (event: unknown) => (listener as (event: unknown) => void)(event)
    subscribe(name, receive)
    return () => unsubscribe(name, receive)
  })
  return {
    [Symbol.dispose]() {
      for (const stop of subscriptions) stop()
      for (const { span } of spans.values()) span.end()
      spans.clear()
    },
  }
}
