/** open-iterable: tabular data as async iterables. */

export { fromArrow, type ToArrowOptions, toArrow } from './arrow.ts'
export type { BadRecord, DeadLetter, ErrorDecision, ErrorPolicy } from './bad-records.ts'
export {
  type Capabilities,
  type Capability,
  type CodecCapability,
  capabilities,
  type FormatCapability,
} from './capabilities.ts'
export type {
  BulkConversion,
  BulkConvertOptions,
  BulkItem,
  BulkProgress,
  BulkSource,
  BulkSources,
  BulkSummary,
  BulkTarget,
  NamedSource,
} from './convert/bulk-options.ts'
export { bulkConvert, convert, planConversion } from './convert/index.ts'
export type {
  ConvertOptions,
  ConvertProgress,
  RowFlatMap,
  RowInfo,
  RowMap,
  RowPredicate,
} from './convert/options.ts'
export type { ConversionPlan, PlannedEnd } from './convert/plan.ts'
export type { ConvertResult } from './convert/result.ts'
export { CalendarDate } from './core/calendar-date.ts'
export { detach } from './core/detach.ts'
export type { TextReadOptions, TextWriteOptions } from './core/encoding-options.ts'
export { ERRORS, type ErrorCode } from './core/error-codes.ts'
export {
  CodecError,
  DataError,
  type ErrorDetails,
  LimitError,
  OpenIterableError,
  OptionError,
  SinkError,
  SourceError,
  StateError,
} from './core/errors.ts'
export type { Comparison, Filter, FilterValue } from './core/filter.ts'
export type { OptionEntry, OptionTable } from './core/options.ts'
export { PreciseDate } from './core/precise-date.ts'
export type { OrderColumn, RowSelection, SqlCondition } from './core/row-selection.ts'
export {
  type ColumnSchema,
  type NativeType,
  type Schema,
  type SchemaType,
  type TableSchema,
  type TableSchemaField,
  toJsonSchema,
  toTableSchema,
} from './core/schema.ts'
export type { S3Location } from './core/target-urls.ts'
export type {
  Abortable,
  ArchiveMember,
  Batch,
  ByteRange,
  ByteSink,
  ByteSource,
  Codec,
  CodecOptions,
  Decoder,
  Encoder,
  ExistingRows,
  Format,
  FormatOptions,
  ListedOptions,
  ListedTarget,
  Place,
  PlaceOptions,
  RandomAccess,
  ReadContext,
  Row,
  RowReader,
  RowSink,
  RowSource,
  RowWriter,
  SinkPlaceOptions,
  WriteContext,
} from './core/types.ts'
export type { TypingOptions, Widening } from './core/typing.ts'
export type { StoredValueOptions } from './core/value-options.ts'
export type { ColumnType } from './core/values.ts'
export { closeConnections, type DatabaseTarget, listTables, type Transaction, withTransaction } from './database.ts'
export { type DetectOptions, detect } from './detect.ts'
export type { DuckDbSettings } from './duckdb/settings.ts'
export type { ArrowReadOptions, ArrowWriteOptions } from './formats/arrow/options.ts'
export type { CsvReadOptions, CsvRecordInfo } from './formats/csv/read-options.ts'
export type { CsvCast, CsvCastContext, CsvCastResult, CsvCasts, CsvWriteOptions } from './formats/csv/write-options.ts'
export type { FixedField, FixedReadOptions, FixedWriteOptions } from './formats/fixed/options.ts'
export type { JsonReadOptions } from './formats/json/read-options.ts'
export type { JsonWriteOptions } from './formats/json/write-options.ts'
export type { JsonlReadOptions } from './formats/jsonl/read-options.ts'
export type { JsonlWriteOptions } from './formats/jsonl/write-options.ts'
export type { ParquetColumnChunk, ParquetMetadata, ParquetRowGroup } from './formats/parquet/footer.ts'
export type { ParquetReadOptions } from './formats/parquet/read-options.ts'
export type { ParquetWriteOptions } from './formats/parquet/write-options.ts'
export type { ParquetColumnType } from './formats/parquet/writer-declared.ts'
export { type InferredSchema, type InferSchemaOptions, inferSchema } from './infer-schema.ts'
export { type ListOptions, listIterable } from './list.ts'
export { type ListMembersOptions, listMembers } from './members.ts'
export {
  type ByteTarget,
  type FormatReadOptions,
  type FormatWriteOptions,
  openIterable,
  type PlaceReadOptions,
  type PlaceWriteOptions,
  type PluginTargets,
  type ReadOptions,
  type ReadTarget,
  type WriteOptions,
  type WriteTarget,
} from './open.ts'
export { type ParquetMetadataOptions, parquetMetadata } from './parquet-metadata.ts'
export type { Chain, CollectOptions, RowChain } from './pipeline/chain.ts'
export { mapConcurrent } from './pipeline/map-concurrent.ts'
export type { PipelineOptions, PipelineProgress, PipelineResult, StageCounts, Trigger } from './pipeline/options.ts'
export { type PipelineDestination, type PipelineSource, pipeline } from './pipeline/pipeline.ts'
export {
  batchStage,
  type ConcurrentOptions,
  dropStage,
  filterStage,
  flatMapStage,
  mapStage,
  type Rows,
  type Stage,
  type StageContext,
  type StageFunction,
  type StageKind,
  type StageOptions,
  takeStage,
  tapStage,
} from './pipeline/stages.ts'
export { profile } from './profile/index.ts'
export type { ProfileOptions, ProfileProgress } from './profile/options.ts'
export type {
  Accuracy,
  ColumnPairs,
  ColumnProfile,
  DateSummary,
  Finding,
  FindingCode,
  Missingness,
  NumberSummary,
  Profile,
  Quantile,
  SuspiciousValue,
  TopValue,
  ValueKind,
} from './profile/types.ts'
export type { Histogram } from './profile/weighted-values.ts'
export type { Diff, DiffOptions, DiffSummary, RowChange } from './query/diff-options.ts'
export { diff, fromJsonSchema, sql, validate } from './query/index.ts'
export type { JsonSchemaOptions } from './query/json-schema.ts'
export type {
  OpenedTable,
  SqlOptions,
  SqlParameter,
  TableReadOptions,
  TableSourceOptions,
  TableTarget,
} from './query/options.ts'
export type { BadRow, ValidateOptions, ValidationResult } from './query/validate.ts'
export type { Batches, LazyReader, Reader } from './reader.ts'
export {
  type CodecEntry,
  type FormatEntry,
  registerCodec,
  registerFormat,
  registerSource,
  type SourceEntry,
} from './registry.ts'
export type { RemoteOptions } from './remote/options.ts'
export { toHTML, toHtmlReport, toMarkdown } from './report/index.ts'
export type { ReportOptions, TableOptions } from './report/options.ts'
export type { CommonOptions } from './resolve.ts'
export { toTypeScript, toZod } from './schema-code.ts'
export {
  type Confidence,
  type Detection,
  type FormatCandidate,
  formatDetection,
  type SniffedDialect,
} from './sniff/detection.ts'
export type { HttpAuth, HttpReadOptions } from './sources/http/options.ts'
export { MemoryTarget } from './sources/memory.ts'
export type { PostgresTarget } from './sources/postgres/driver.ts'
export type { PostgresConnectionOptions, PostgresDialect, PostgresReadOptions } from './sources/postgres/options.ts'
export type { TableInfo } from './sources/postgres/tables.ts'
export type { PostgresTransactionOptions } from './sources/postgres/transaction.ts'
export type { PostgresWriteOptions } from './sources/postgres/write-options.ts'
export type { S3ConnectionOptions, S3Credentials, S3ReadOptions, S3ReadSettings } from './sources/s3/options.ts'
export type { S3WriteOptions, S3WriteSettings } from './sources/s3/sink-options.ts'
export type { Spooled } from './spool.ts'
export type { SchemaOutput, StandardIssue, StandardResult, StandardSchema } from './standard-schema.ts'
export type { LazyWriter, RowsToWrite, Writer } from './writer.ts'
