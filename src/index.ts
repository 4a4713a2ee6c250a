/** open-iterable: tabular data as async iterables. */

export type { BadRecord, DeadLetter, ErrorDecision, ErrorPolicy } from './bad-records.ts'
export {
  type Capabilities,
  type Capability,
  type CodecCapability,
  capabilities,
  type FormatCapability,
} from './capabilities.ts'
export { CalendarDate } from './core/calendar-date.ts'
export { detach } from './core/detach.ts'
export type { TextReadOptions, TextWriteOptions } from './core/encoding-options.ts'
export {
  CodecError,
  DataError,
  ERRORS,
  type ErrorCode,
  type ErrorDetails,
  OpenIterableError,
  OptionError,
  SinkError,
  SourceError,
  StateError,
} from './core/errors.ts'
export {
  type ColumnSchema,
  type Schema,
  type SchemaType,
  type TableSchema,
  type TableSchemaField,
  toJsonSchema,
  toTableSchema,
} from './core/schema.ts'
export type { Abortable, ArchiveMember, Row } from './core/types.ts'
export type { TypingOptions, Widening } from './core/typing.ts'
export type { ColumnType } from './core/values.ts'
export { type DetectOptions, detect } from './detect.ts'
export type { CsvReadOptions } from './formats/csv/read-options.ts'
export type { CsvWriteOptions } from './formats/csv/write-options.ts'
export type { FixedField, FixedReadOptions, FixedWriteOptions } from './formats/fixed/options.ts'
export type { JsonReadOptions } from './formats/json/read-options.ts'
export type { JsonWriteOptions } from './formats/json/write-options.ts'
export type { JsonlReadOptions } from './formats/jsonl/read-options.ts'
export type { JsonlWriteOptions } from './formats/jsonl/write-options.ts'
export { type InferredSchema, type InferSchemaOptions, inferSchema } from './infer-schema.ts'
export { type ListMembersOptions, listMembers } from './members.ts'
export {
  type ByteTarget,
  type FormatReadOptions,
  type FormatWriteOptions,
  openIterable,
  type PluginTargets,
  type ReadOptions,
  type ReadTarget,
  type WriteOptions,
  type WriteTarget,
} from './open.ts'
export type { Batches, LazyReader, Reader } from './reader.ts'
export {
  type CodecEntry,
  type FormatEntry,
  registerCodec,
  registerFormat,
  registerSource,
  type SourceEntry,
} from './registry.ts'
export type { CommonOptions } from './resolve.ts'
export {
  type Confidence,
  type Detection,
  type FormatCandidate,
  formatDetection,
  type SniffedDialect,
} from './sniff/detection.ts'
export { MemoryTarget } from './sources/memory.ts'
export type { SchemaOutput, StandardSchema } from './standard-schema.ts'
export type { LazyWriter, RowsToWrite, Writer } from './writer.ts'
