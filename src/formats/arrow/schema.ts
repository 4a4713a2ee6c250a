/** Fields of Arrow → what our schema says of a column. */
import type { Field } from 'apache-arrow'
import type { ColumnSchema, SchemaType } from '../../core/schema.ts'
import type { ArrowPackage } from './peer.ts'

export function columnSchema(arrow: ArrowPackage, field: Field): ColumnSchema {
  return { name: field.name, ...described(arrow, field), nullable: field.nullable, source: 'file' }
}

function described(arrow: ArrowPackage, { type }: Field): Omit<ColumnSchema, 'name' | 'source' | 'nullable'> {
  const { DataType } = arrow
  const children = (type.children ?? []) as Field[]
  if (DataType.isStruct(type)) return { type: 'object', fields: children.map(child => columnSchema(arrow, child)) }
  if (DataType.isList(type) || DataType.isLargeList(type) || DataType.isFixedSizeList(type)) {
    return { type: 'array', items: { ...described(arrow, children[0]!), nullable: children[0]!.nullable } }
  }
  if (DataType.isDecimal(type)) return { type: 'decimal', format: `DECIMAL(${type.precision},${type.scale})` }
  return { type: scalarType(arrow, type), format: String(type) }
}

function scalarType({ DataType }: ArrowPackage, type: Field['type']): SchemaType {
  if (DataType.isDictionary(type)) return scalarType({ DataType } as ArrowPackage, type.dictionary)
  if (DataType.isNull(type)) return 'null'
  if (DataType.isBool(type)) return 'boolean'
  if (DataType.isInt(type)) return type.bitWidth === 64 ? 'bigint' : 'integer'
  if (DataType.isFloat(type)) return 'number'
  if (DataType.isDate(type)) return 'date'
  if (DataType.isTimestamp(type)) return 'timestamp'
  if (DataType.isBinary(type) || DataType.isLargeBinary(type) || DataType.isFixedSizeBinary(type)) return 'binary'
  return DataType.isMap(type) ? 'object' : 'text'
}
