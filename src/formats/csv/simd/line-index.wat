;; Where the delimiters and line ends of a block are, 64 bytes at a time, by WebAssembly SIMD (128 bits).
;;
;; For text without quotes: every delimiter parts two fields and every LF ends a record. The bytes behind the block, up
;; to the next multiple of 64, must be neither. `node scripts/build-wasm.mjs` compiles this file.
;;
;; index(block, length, ends, records, delimiter) → number of records
;;   block      address of the bytes; may be read up to 63 bytes beyond `length`
;;   ends       address of i32[]: offset in the block of each delimiter and line end, in order
;;   records    address of i32[]: for each line end, its index in `ends`
(module
  (memory (export "memory") 6)
  (func (export "index")
    (param $block i32) (param $length i32) (param $ends i32) (param $records i32) (param $delimiter i32)
    (result i32)
    (local $delimiters v128) (local $lineEnds v128)
    (local $a v128) (local $b v128) (local $c v128) (local $d v128)
    (local $at i32) (local $end i32) (local $record i32) (local $count i32)
    (local $both i64) (local $lines i64)
    (local.set $delimiters (i8x16.splat (local.get $delimiter)))
    (local.set $lineEnds (i8x16.splat (i32.const 10)))
    (local.set $end (local.get $ends))
    (local.set $record (local.get $records))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $at) (local.get $length)))
        (local.set $count (i32.add (local.get $block) (local.get $at)))
        (local.set $a (v128.load offset=0 (local.get $count)))
        (local.set $b (v128.load offset=16 (local.get $count)))
        (local.set $c (v128.load offset=32 (local.get $count)))
        (local.set $d (v128.load offset=48 (local.get $count)))
        ;; One bit for each byte that is a line end, and one for each that is a line end or a delimiter.
        (local.set $lines
          (i64.or
            (i64.or
              (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $a) (local.get $lineEnds))))
              (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $b) (local.get $lineEnds)))) (i64.const 16)))
            (i64.or
              (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $c) (local.get $lineEnds)))) (i64.const 32))
              (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $d) (local.get $lineEnds)))) (i64.const 48)))))
        (local.set $both
          (i64.or
            (local.get $lines)
            (i64.or
              (i64.or
                (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $a) (local.get $delimiters))))
                (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $b) (local.get $delimiters)))) (i64.const 16)))
              (i64.or
                (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $c) (local.get $delimiters)))) (i64.const 32))
                (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $d) (local.get $delimiters)))) (i64.const 48))))))
        ;; For each line end: how many bits of `both` lie before it.
        (local.set $count (i32.shr_u (i32.sub (local.get $end) (local.get $ends)) (i32.const 2)))
        (block $noLines
          (br_if $noLines (i64.eqz (local.get $lines)))
          (loop $nextLine
            (i32.store (local.get $record)
              (i32.add (local.get $count)
                (i32.wrap_i64
                  (i64.popcnt
                    (i64.and (local.get $both)
                      (i64.sub
                        (i64.and (local.get $lines) (i64.sub (i64.const 0) (local.get $lines)))
                        (i64.const 1)))))))
            (local.set $record (i32.add (local.get $record) (i32.const 4)))
            (local.set $lines (i64.and (local.get $lines) (i64.sub (local.get $lines) (i64.const 1))))
            (br_if $nextLine (i64.ne (local.get $lines) (i64.const 0)))))
        ;; Where each bit of `both` is.
        (block $noEnds
          (br_if $noEnds (i64.eqz (local.get $both)))
          (loop $nextEnd
            (i32.store (local.get $end) (i32.add (local.get $at) (i32.wrap_i64 (i64.ctz (local.get $both)))))
            (local.set $end (i32.add (local.get $end) (i32.const 4)))
            (local.set $both (i64.and (local.get $both) (i64.sub (local.get $both) (i64.const 1))))
            (br_if $nextEnd (i64.ne (local.get $both) (i64.const 0)))))
        (local.set $at (i32.add (local.get $at) (i32.const 64)))
        (br $next)))
    (i32.shr_u (i32.sub (local.get $record) (local.get $records)) (i32.const 2))))
