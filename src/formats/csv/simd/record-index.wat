;; Where the fields and the records of a block of CSV end, 64 bytes at a time, by WebAssembly SIMD (128 bits).
;;
;; For valid UTF-8 in which records end with LF or CRLF, and a quote inside quotes is doubled. Each 64 bytes become masks
;; of one bit a byte: first the lowest. A byte is inside quotes where the number of quotes up to it is odd. That is so only
;; as long as each quote is in its place; at the first one that is not the index ends, with the records before that.
;; The bytes behind the block, up to the next multiple of 64, must be neither delimiter nor quote nor LF.
;; `node scripts/build-wasm.mjs` compiles this file.
;;
;; index(block, length, ends, records, lines, delimiter, quote, cr, open) → number of records
;;   block      address of the bytes; may be read up to 63 bytes beyond `length`
;;   ends       address of i32[]: position of each delimiter and LF outside quotes, in order, in UTF-16 units
;;   records    address of i32[]: for each record, the index of its LF in `ends`, times 4; + 1: has quotes; + 2: has quotes
;;              that are doubled
;;   lines      address of i32[]: for each record, the number of LFs up to its own, in quotes or not
;;   quote      255 where nothing quotes
;;   cr         13 where CRLF is a line end, else 255
;;   open       -1 where the block begins inside quotes, else 0
;;   results    address of i32[2]: bytes up to the end of the last record; whether there are other bytes than those of ASCII
;;
;; values(block, ends, records, count, width, cr, plan, planEnd, slots, bases, powers)
;;   of an indexed block of ASCII, reads fields that are numbers or dates, as the exact readings of core/values.ts do
;;   ends, records, count, cr   as above
;;   width      fields of a record; others are passed over
;;   plan       address of i32[2][], up to `planEnd`: number of a field, and its kind: 1 an integer of 32 bits, 2 a number,
;;              3 a safe integer, 4 a date
;;   slots      address of 8 bytes for each item of the plan, for each record: i32 for kind 1, and for kind 4, the days since
;;              1970-01-01; else f64. -2^31 and NaN stand for what was not read.
;;   bases      address of i32[]: for each record that is `width` wide, the number of its first slot, times 2; + 1: not all
;;              was read
;;   powers     address of f64[16]: powers of ten
(module
  (memory (export "memory") 13)
  (func (export "index")
    (param $block i32) (param $length i32) (param $ends i32) (param $records i32) (param $lines i32)
    (param $delimiter i32) (param $quote i32) (param $cr i32) (param $open i32) (param $results i32)
    (result i32)
    (local $delimiters v128) (local $lineEnds v128) (local $quotes v128) (local $crs v128)
    (local $a v128) (local $b v128) (local $c v128) (local $d v128)
    (local $at i32) (local $end i32) (local $record i32) (local $address i32) (local $count i32)
    (local $flags i32) (local $lineCount i32) (local $shift i32) (local $toLines i32)
    (local $taken i32) (local $multibyte i32)
    (local $inside i64) (local $lf i64) (local $newlines i64) (local $structure i64) (local $quoted i64) (local $doubled i64)
    (local $opening i64) (local $afterQuote i64) (local $afterClosing i64) (local $misplaced i64) (local $below i64)
    (local $carriages i64) (local $trailing i64) (local $wide i64)
    ;; What the last byte of the 64 before was, for the first of the next.
    (local $wasStructure i64) (local $wasQuote i64) (local $wasClosing i64) (local $wasCr i64)
    (local.set $delimiters (i8x16.splat (local.get $delimiter)))
    (local.set $lineEnds (i8x16.splat (i32.const 10)))
    (local.set $quotes (i8x16.splat (local.get $quote)))
    (local.set $crs (i8x16.splat (local.get $cr)))
    (local.set $end (local.get $ends))
    (local.set $record (local.get $records))
    (local.set $toLines (i32.sub (local.get $lines) (local.get $records)))
    (local.set $inside (i64.extend_i32_s (local.get $open)))
    ;; A record that begins in an earlier block has quotes: those that it is open in.
    (local.set $flags (i32.and (local.get $open) (i32.const 1)))
    (local.set $wasStructure (i64.extend_i32_u (i32.eqz (local.get $open))))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $at) (local.get $length)))
        (local.set $address (i32.add (local.get $block) (local.get $at)))
        (local.set $a (v128.load offset=0 (local.get $address)))
        (local.set $b (v128.load offset=16 (local.get $address)))
        (local.set $c (v128.load offset=32 (local.get $address)))
        (local.set $d (v128.load offset=48 (local.get $address)))
        (local.set $lf
          (i64.or
            (i64.or
              (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $a) (local.get $lineEnds))))
              (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $b) (local.get $lineEnds)))) (i64.const 16)))
            (i64.or
              (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $c) (local.get $lineEnds)))) (i64.const 32))
              (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $d) (local.get $lineEnds)))) (i64.const 48)))))
        (local.set $structure
          (i64.or
            (i64.or
              (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $a) (local.get $delimiters))))
              (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $b) (local.get $delimiters)))) (i64.const 16)))
            (i64.or
              (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $c) (local.get $delimiters)))) (i64.const 32))
              (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $d) (local.get $delimiters)))) (i64.const 48)))))
        (local.set $newlines (local.get $lf))
        (if (i32.or
              (v128.any_true
                (v128.or
                  (v128.or (i8x16.eq (local.get $a) (local.get $quotes)) (i8x16.eq (local.get $b) (local.get $quotes)))
                  (v128.or (i8x16.eq (local.get $c) (local.get $quotes)) (i8x16.eq (local.get $d) (local.get $quotes)))))
              (i64.ne
                (i64.or (local.get $inside) (i64.or (local.get $wasClosing) (local.get $wasCr)))
                (i64.const 0)))
          (then
            (local.set $quoted
              (i64.or
                (i64.or
                  (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $a) (local.get $quotes))))
                  (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $b) (local.get $quotes)))) (i64.const 16)))
                (i64.or
                  (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $c) (local.get $quotes)))) (i64.const 32))
                  (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $d) (local.get $quotes)))) (i64.const 48)))))
            ;; From each opening quote to before its closing one: the parity of the quotes up to each byte.
            (local.set $below (local.get $quoted))
            (local.set $below (i64.xor (local.get $below) (i64.shl (local.get $below) (i64.const 1))))
            (local.set $below (i64.xor (local.get $below) (i64.shl (local.get $below) (i64.const 2))))
            (local.set $below (i64.xor (local.get $below) (i64.shl (local.get $below) (i64.const 4))))
            (local.set $below (i64.xor (local.get $below) (i64.shl (local.get $below) (i64.const 8))))
            (local.set $below (i64.xor (local.get $below) (i64.shl (local.get $below) (i64.const 16))))
            (local.set $below (i64.xor (local.get $below) (i64.shl (local.get $below) (i64.const 32))))
            (local.set $below (i64.xor (local.get $below) (local.get $inside)))
            (local.set $inside (i64.shr_s (local.get $below) (i64.const 63)))
            (local.set $newlines (i64.and (local.get $lf) (i64.xor (local.get $below) (i64.const -1))))
            (local.set $structure
              (i64.or
                (local.get $newlines)
                (i64.and (local.get $structure) (i64.xor (local.get $below) (i64.const -1)))))
            (local.set $opening (i64.and (local.get $quoted) (local.get $below)))
            (local.set $afterQuote (i64.or (i64.shl (local.get $quoted) (i64.const 1)) (local.get $wasQuote)))
            (local.set $doubled (i64.and (local.get $opening) (local.get $afterQuote)))
            ;; A quote opens at the start of a field, or is the second of a doubled one.
            (local.set $misplaced
              (i64.and
                (local.get $opening)
                (i64.xor
                  (i64.or
                    (local.get $afterQuote)
                    (i64.or (i64.shl (local.get $structure) (i64.const 1)) (local.get $wasStructure)))
                  (i64.const -1))))
            ;; What closes is followed by the end of the field, or is the first of a doubled one.
            (local.set $below (i64.xor (local.get $opening) (local.get $quoted)))
            (local.set $afterClosing (i64.or (i64.shl (local.get $below) (i64.const 1)) (local.get $wasClosing)))
            (local.set $wasClosing (i64.shr_u (local.get $below) (i64.const 63)))
            (local.set $carriages
              (i64.and
                (local.get $afterClosing)
                (i64.or
                  (i64.or
                    (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $a) (local.get $crs))))
                    (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $b) (local.get $crs)))) (i64.const 16)))
                  (i64.or
                    (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $c) (local.get $crs)))) (i64.const 32))
                    (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $d) (local.get $crs)))) (i64.const 48))))))
            (local.set $misplaced
              (i64.or
                (local.get $misplaced)
                (i64.or
                  (i64.and
                    (local.get $afterClosing)
                    (i64.xor
                      (i64.or (local.get $structure) (i64.or (local.get $quoted) (local.get $carriages)))
                      (i64.const -1)))
                  (i64.and
                    (i64.or (i64.shl (local.get $carriages) (i64.const 1)) (local.get $wasCr))
                    (i64.xor (local.get $newlines) (i64.const -1))))))
            (local.set $wasCr (i64.shr_u (local.get $carriages) (i64.const 63)))
            (if (i64.ne (local.get $misplaced) (i64.const 0))
              (then
                (local.set $below
                  (i64.sub
                    (i64.and (local.get $misplaced) (i64.sub (i64.const 0) (local.get $misplaced)))
                    (i64.const 1)))
                (local.set $newlines (i64.and (local.get $newlines) (local.get $below))))))
          (else
            (local.set $quoted (i64.const 0))
            (local.set $doubled (i64.const 0))
            (local.set $structure (i64.or (local.get $structure) (local.get $newlines)))))
        (local.set $wasStructure (i64.shr_u (local.get $structure) (i64.const 63)))
        (local.set $wasQuote (i64.shr_u (local.get $quoted) (i64.const 63)))
        (local.set $count (i32.shr_u (i32.sub (local.get $end) (local.get $ends)) (i32.const 2)))
        (if (i64.ne (local.get $newlines) (i64.const 0))
          (then
            (local.set $taken
              (i32.sub
                (i32.add (local.get $at) (i32.const 64))
                (i32.wrap_i64 (i64.clz (local.get $newlines)))))))
        ;; For each record that ends here: how many delimiters and LFs lie before its LF.
        (if (i64.eqz (i64.or (local.get $quoted) (i64.extend_i32_u (local.get $flags))))
          (then
            (if (i64.ne (local.get $newlines) (i64.const 0))
              (then
                (loop $nextRecord
                  (i32.store (local.get $record)
                    (i32.shl
                      (i32.add
                        (local.get $count)
                        (i32.wrap_i64
                          (i64.popcnt
                            (i64.and
                              (local.get $structure)
                              (i64.sub
                                (i64.and (local.get $newlines) (i64.sub (i64.const 0) (local.get $newlines)))
                                (i64.const 1))))))
                      (i32.const 2)))
                  (local.set $lineCount (i32.add (local.get $lineCount) (i32.const 1)))
                  (i32.store (i32.add (local.get $record) (local.get $toLines)) (local.get $lineCount))
                  (local.set $record (i32.add (local.get $record) (i32.const 4)))
                  (local.set $newlines (i64.and (local.get $newlines) (i64.sub (local.get $newlines) (i64.const 1))))
                  (br_if $nextRecord (i64.ne (local.get $newlines) (i64.const 0)))))))
          (else
            (if (i64.ne (local.get $newlines) (i64.const 0))
              (then
                (loop $nextRecord
                  (local.set $below
                    (i64.sub
                      (i64.and (local.get $newlines) (i64.sub (i64.const 0) (local.get $newlines)))
                      (i64.const 1)))
                  (i32.store (local.get $record)
                    (i32.or
                      (i32.shl
                        (i32.add
                          (local.get $count)
                          (i32.wrap_i64 (i64.popcnt (i64.and (local.get $structure) (local.get $below)))))
                        (i32.const 2))
                      (i32.or
                        (local.get $flags)
                        (i32.or
                          (i64.ne (i64.and (local.get $quoted) (local.get $below)) (i64.const 0))
                          (i32.shl
                            (i64.ne (i64.and (local.get $doubled) (local.get $below)) (i64.const 0))
                            (i32.const 1))))))
                  (i32.store (i32.add (local.get $record) (local.get $toLines))
                    (i32.add
                      (i32.add (local.get $lineCount) (i32.const 1))
                      (i32.wrap_i64 (i64.popcnt (i64.and (local.get $lf) (local.get $below))))))
                  (local.set $flags (i32.const 0))
                  (local.set $quoted (i64.and (local.get $quoted) (i64.xor (local.get $below) (i64.const -1))))
                  (local.set $doubled (i64.and (local.get $doubled) (i64.xor (local.get $below) (i64.const -1))))
                  (local.set $record (i32.add (local.get $record) (i32.const 4)))
                  (local.set $newlines (i64.and (local.get $newlines) (i64.sub (local.get $newlines) (i64.const 1))))
                  (br_if $nextRecord (i64.ne (local.get $newlines) (i64.const 0))))))
            (local.set $flags
              (i32.or
                (local.get $flags)
                (i32.or
                  (i64.ne (local.get $quoted) (i64.const 0))
                  (i32.shl (i64.ne (local.get $doubled) (i64.const 0)) (i32.const 1)))))
            (local.set $lineCount (i32.add (local.get $lineCount) (i32.wrap_i64 (i64.popcnt (local.get $lf)))))))
        ;; Where each delimiter and LF is: in bytes, less those that are no UTF-16 unit of their own.
        (if (i8x16.bitmask (v128.or (v128.or (local.get $a) (local.get $b)) (v128.or (local.get $c) (local.get $d))))
          (then
            (local.set $multibyte (i32.const 1))
            (local.set $trailing
              (i64.or
                (i64.or
                  (i64.extend_i32_u (i8x16.bitmask (i8x16.lt_s (local.get $a) (v128.const i8x16 -64 -64 -64 -64 -64 -64 -64 -64 -64 -64 -64 -64 -64 -64 -64 -64))))
                  (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.lt_s (local.get $b) (v128.const i8x16 -64 -64 -64 -64 -64 -64 -64 -64 -64 -64 -64 -64 -64 -64 -64 -64)))) (i64.const 16)))
                (i64.or
                  (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.lt_s (local.get $c) (v128.const i8x16 -64 -64 -64 -64 -64 -64 -64 -64 -64 -64 -64 -64 -64 -64 -64 -64)))) (i64.const 32))
                  (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.lt_s (local.get $d) (v128.const i8x16 -64 -64 -64 -64 -64 -64 -64 -64 -64 -64 -64 -64 -64 -64 -64 -64)))) (i64.const 48)))))
            (local.set $wide
              (i64.or
                (i64.or
                  (i64.extend_i32_u (i8x16.bitmask (i8x16.ge_u (local.get $a) (v128.const i8x16 -16 -16 -16 -16 -16 -16 -16 -16 -16 -16 -16 -16 -16 -16 -16 -16))))
                  (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.ge_u (local.get $b) (v128.const i8x16 -16 -16 -16 -16 -16 -16 -16 -16 -16 -16 -16 -16 -16 -16 -16 -16)))) (i64.const 16)))
                (i64.or
                  (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.ge_u (local.get $c) (v128.const i8x16 -16 -16 -16 -16 -16 -16 -16 -16 -16 -16 -16 -16 -16 -16 -16 -16)))) (i64.const 32))
                  (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.ge_u (local.get $d) (v128.const i8x16 -16 -16 -16 -16 -16 -16 -16 -16 -16 -16 -16 -16 -16 -16 -16 -16)))) (i64.const 48)))))
            (if (i64.ne (local.get $structure) (i64.const 0))
              (then
                (loop $nextEnd
                  (local.set $below
                    (i64.sub
                      (i64.and (local.get $structure) (i64.sub (i64.const 0) (local.get $structure)))
                      (i64.const 1)))
                  (i32.store (local.get $end)
                    (i32.add
                      (i32.add
                        (i32.add (local.get $at) (local.get $shift))
                        (i32.wrap_i64 (i64.ctz (local.get $structure))))
                      (i32.wrap_i64
                        (i64.sub
                          (i64.popcnt (i64.and (local.get $wide) (local.get $below)))
                          (i64.popcnt (i64.and (local.get $trailing) (local.get $below)))))))
                  (local.set $end (i32.add (local.get $end) (i32.const 4)))
                  (local.set $structure (i64.and (local.get $structure) (i64.sub (local.get $structure) (i64.const 1))))
                  (br_if $nextEnd (i64.ne (local.get $structure) (i64.const 0))))))
            (local.set $shift
              (i32.add
                (local.get $shift)
                (i32.wrap_i64 (i64.sub (i64.popcnt (local.get $wide)) (i64.popcnt (local.get $trailing)))))))
          (else
            (if (i64.ne (local.get $structure) (i64.const 0))
              (then
                (local.set $count (i32.add (local.get $at) (local.get $shift)))
                (loop $nextEnd
                  (i32.store (local.get $end)
                    (i32.add (local.get $count) (i32.wrap_i64 (i64.ctz (local.get $structure)))))
                  (local.set $end (i32.add (local.get $end) (i32.const 4)))
                  (local.set $structure (i64.and (local.get $structure) (i64.sub (local.get $structure) (i64.const 1))))
                  (br_if $nextEnd (i64.ne (local.get $structure) (i64.const 0))))))))
        (br_if $done (i64.ne (local.get $misplaced) (i64.const 0)))
        (local.set $at (i32.add (local.get $at) (i32.const 64)))
        (br $next)))
    (i32.store (local.get $results) (local.get $taken))
    (i32.store offset=4 (local.get $results) (local.get $multibyte))
    (i32.shr_u (i32.sub (local.get $record) (local.get $records)) (i32.const 2)))
  (func (export "values")
    (param $block i32) (param $ends i32) (param $records i32) (param $count i32) (param $width i32) (param $cr i32)
    (param $plan i32) (param $planEnd i32) (param $slots i32) (param $bases i32) (param $powers i32)
    (local $firstSlot i32) (local $recordsEnd i32) (local $start i32) (local $first i32) (local $last i32)
    (local $item i32) (local $field i32) (local $kind i32) (local $at i32) (local $to i32) (local $end i32)
    (local $missed i32) (local $byte i32) (local $negative i32) (local $length i32) (local $point i32) (local $digits i32)
    (local $whole i32) (local $year i32) (local $month i32) (local $day i32)
    (local $int i64) (local $number f64) (local $text v128) (local $places v128)
    (local.set $firstSlot (local.get $slots))
    (local.set $recordsEnd (i32.add (local.get $records) (i32.shl (local.get $count) (i32.const 2))))
    (local.set $start (local.get $block))
    (block $done
      (loop $nextRecord
        (br_if $done (i32.ge_u (local.get $records) (local.get $recordsEnd)))
        (local.set $last (i32.shr_u (i32.load (local.get $records)) (i32.const 2)))
        (if (i32.eq (i32.sub (local.get $last) (local.get $first)) (i32.sub (local.get $width) (i32.const 1)))
          (then
            (local.set $missed (i32.const 0))
            (i32.store (local.get $bases)
              (i32.shr_u (i32.sub (local.get $slots) (local.get $firstSlot)) (i32.const 2)))
            (local.set $item (local.get $plan))
            (loop $nextItem
              (local.set $field (i32.load (local.get $item)))
              (local.set $kind (i32.load offset=4 (local.get $item)))
              (local.set $end
                (i32.add (local.get $ends) (i32.shl (i32.add (local.get $first) (local.get $field)) (i32.const 2))))
              (if (i32.eqz (local.get $field))
                (then (local.set $at (local.get $start)))
                (else
                  (local.set $at
                    (i32.add
                      (i32.add (local.get $block) (i32.load (i32.sub (local.get $end) (i32.const 4))))
                      (i32.const 1)))))
              (local.set $to (i32.add (local.get $block) (i32.load (local.get $end))))
              (if (i32.and
                    (i32.eq (i32.add (local.get $field) (i32.const 1)) (local.get $width))
                    (i32.lt_u (local.get $at) (local.get $to)))
                (then
                  (if (i32.eq (i32.load8_u (i32.sub (local.get $to) (i32.const 1))) (local.get $cr))
                    (then (local.set $to (i32.sub (local.get $to) (i32.const 1)))))))
              (block $stored
                (block $miss
                  (br_if $miss (i32.ge_u (local.get $at) (local.get $to)))
                  (if (i32.eq (local.get $kind) (i32.const 4))
                    (then
                      (br_if $miss (i32.ne (i32.sub (local.get $to) (local.get $at)) (i32.const 10)))
                      (local.set $text (v128.load (local.get $at)))
                      (br_if $miss
                        (i32.ne
                          (i32.and
                            (i8x16.bitmask (i8x16.eq (local.get $text) (i8x16.splat (i32.const 45))))
                            (i32.const 0x3ff))
                          (i32.const 0x090)))
                      (local.set $text (i8x16.sub (local.get $text) (i8x16.splat (i32.const 48))))
                      (br_if $miss
                        (i32.ne
                          (i32.and
                            (i8x16.bitmask (i8x16.lt_u (local.get $text) (i8x16.splat (i32.const 10))))
                            (i32.const 0x3ff))
                          (i32.const 0x36f)))
                      (local.set $year
                        (i32.add
                          (i32.add
                            (i32.mul (i8x16.extract_lane_u 0 (local.get $text)) (i32.const 1000))
                            (i32.mul (i8x16.extract_lane_u 1 (local.get $text)) (i32.const 100)))
                          (i32.add
                            (i32.mul (i8x16.extract_lane_u 2 (local.get $text)) (i32.const 10))
                            (i8x16.extract_lane_u 3 (local.get $text)))))
                      (local.set $month
                        (i32.add
                          (i32.mul (i8x16.extract_lane_u 5 (local.get $text)) (i32.const 10))
                          (i8x16.extract_lane_u 6 (local.get $text))))
                      (local.set $day
                        (i32.add
                          (i32.mul (i8x16.extract_lane_u 8 (local.get $text)) (i32.const 10))
                          (i8x16.extract_lane_u 9 (local.get $text))))
                      (br_if $miss (i32.eqz (local.get $year)))
                      (br_if $miss (i32.ge_u (i32.sub (local.get $month) (i32.const 1)) (i32.const 12)))
                      (br_if $miss (i32.eqz (local.get $day)))
                      (if (i32.eq (local.get $month) (i32.const 2))
                        (then
                          (br_if $miss
                            (i32.gt_u
                              (local.get $day)
                              (i32.add
                                (i32.const 28)
                                (i32.and
                                  (i32.eqz (i32.and (local.get $year) (i32.const 3)))
                                  (i32.or
                                    (i32.ne (i32.rem_u (local.get $year) (i32.const 100)) (i32.const 0))
                                    (i32.eqz (i32.rem_u (local.get $year) (i32.const 400)))))))))
                        (else
                          (br_if $miss
                            (i32.gt_u
                              (local.get $day)
                              (i32.add
                                (i32.const 30)
                                (i32.and
                                  (i32.add (local.get $month) (i32.shr_u (local.get $month) (i32.const 3)))
                                  (i32.const 1)))))))
                      ;; Years that begin in March, so that a leap day is the last of its year.
                      (if (i32.gt_u (local.get $month) (i32.const 2))
                        (then (local.set $month (i32.sub (local.get $month) (i32.const 3))))
                        (else
                          (local.set $month (i32.add (local.get $month) (i32.const 9)))
                          (local.set $year (i32.sub (local.get $year) (i32.const 1)))))
                      (i32.store (local.get $slots)
                        (i32.sub
                          (i32.add
                            (i32.add
                              (i32.add
                                (i32.mul (local.get $year) (i32.const 365))
                                (i32.shr_u (local.get $year) (i32.const 2)))
                              (i32.sub
                                (i32.div_u (local.get $year) (i32.const 400))
                                (i32.div_u (local.get $year) (i32.const 100))))
                            (i32.add
                              (i32.div_u
                                (i32.add (i32.mul (local.get $month) (i32.const 153)) (i32.const 2))
                                (i32.const 5))
                              (local.get $day)))
                          (i32.const 719469)))
                      (br $stored)))
                  (local.set $byte (i32.load8_u (local.get $at)))
                  (local.set $negative (i32.eq (local.get $byte) (i32.const 45)))
                  (if (local.get $negative)
                    (then
                      (local.set $at (i32.add (local.get $at) (i32.const 1)))
                      (local.set $byte (i32.load8_u (local.get $at)))))
                  (local.set $length (i32.sub (local.get $to) (local.get $at)))
                  (if (i32.and
                        (i32.eq (local.get $kind) (i32.const 1))
                        (i32.lt_u (i32.sub (local.get $length) (i32.const 1)) (i32.const 8)))
                    (then
                      ;; From 1 to 8 digits, as the last bytes of eight; zeros come before them.
                      (local.set $int
                        (i64.shl
                          (i64.xor (i64.load (local.get $at)) (i64.const 0x3030303030303030))
                          (i64.extend_i32_u (i32.shl (i32.sub (i32.const 8) (local.get $length)) (i32.const 3)))))
                      (br_if $miss
                        (i64.ne
                          (i64.and
                            (i64.or (local.get $int) (i64.add (local.get $int) (i64.const 0x7676767676767676)))
                            (i64.const 0x8080808080808080))
                          (i64.const 0)))
                      (br_if $miss
                        (i32.and
                          (i32.eq (local.get $byte) (i32.const 48))
                          (i32.or (local.get $negative) (i32.ne (local.get $length) (i32.const 1)))))
                      ;; Two, then four, then eight digits in one.
                      (local.set $int
                        (i64.and
                          (i64.shr_u (i64.mul (local.get $int) (i64.const 2561)) (i64.const 8))
                          (i64.const 0x00ff00ff00ff00ff)))
                      (local.set $int
                        (i64.and
                          (i64.shr_u (i64.mul (local.get $int) (i64.const 6553601)) (i64.const 16))
                          (i64.const 0x0000ffff0000ffff)))
                      (local.set $int (i64.shr_u (i64.mul (local.get $int) (i64.const 42949672960001)) (i64.const 32)))
                      (i32.store (local.get $slots)
                        (select
                          (i32.sub (i32.const 0) (i32.wrap_i64 (local.get $int)))
                          (i32.wrap_i64 (local.get $int))
                          (local.get $negative)))
                      (br $stored)))
                  ;; From 1 to 16 digits, one of which may be a point.
                  (br_if $miss (i32.ge_u (i32.sub (local.get $length) (i32.const 1)) (i32.const 16)))
                  (local.set $text (i8x16.sub (v128.load (local.get $at)) (i8x16.splat (i32.const 48))))
                  (local.set $point
                    (i32.and
                      (i8x16.bitmask (i8x16.ge_u (local.get $text) (i8x16.splat (i32.const 10))))
                      (i32.sub (i32.shl (i32.const 1) (local.get $length)) (i32.const 1))))
                  (if (i32.eqz (local.get $point))
                    (then
                      (local.set $point (local.get $length))
                      (local.set $digits (local.get $length))
                      (local.set $whole (local.get $length)))
                    (else
                      (br_if $miss (i32.ne (local.get $kind) (i32.const 2)))
                      (br_if $miss (i32.and (local.get $point) (i32.sub (local.get $point) (i32.const 1))))
                      (local.set $point (i32.ctz (local.get $point)))
                      (br_if $miss (i32.ne (i32.load8_u (i32.add (local.get $at) (local.get $point))) (i32.const 46)))
                      (local.set $digits (i32.sub (local.get $length) (i32.const 1)))
                      (br_if $miss (i32.eq (local.get $digits) (local.get $point)))
                      (local.set $whole (local.get $point))))
                  (br_if $miss
                    (i32.and (i32.eq (local.get $byte) (i32.const 48)) (i32.gt_u (local.get $whole) (i32.const 1))))
                  ;; The digits to the right, without the point, zeros before them.
                  (local.set $places
                    (i8x16.sub
                      (v128.const i8x16 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15)
                      (i8x16.splat (i32.sub (i32.const 16) (local.get $digits)))))
                  (local.set $text
                    (i8x16.swizzle
                      (local.get $text)
                      (i8x16.sub
                        (local.get $places)
                        (i8x16.ge_s (local.get $places) (i8x16.splat (local.get $point))))))
                  ;; Two, then four, then sixteen digits in one.
                  (local.set $text
                    (i32x4.dot_i16x8_s
                      (i16x8.add
                        (i16x8.mul
                          (v128.and (local.get $text) (i16x8.splat (i32.const 255)))
                          (i16x8.splat (i32.const 10)))
                        (i16x8.shr_u (local.get $text) (i32.const 8)))
                      (v128.const i16x8 100 1 100 1 100 1 100 1)))
                  (local.set $int
                    (i64.add
                      (i64.mul
                        (i64.extend_i32_u
                          (i32.add
                            (i32.mul (i32x4.extract_lane 0 (local.get $text)) (i32.const 10000))
                            (i32x4.extract_lane 1 (local.get $text))))
                        (i64.const 100000000))
                      (i64.extend_i32_u
                        (i32.add
                          (i32.mul (i32x4.extract_lane 2 (local.get $text)) (i32.const 10000))
                          (i32x4.extract_lane 3 (local.get $text))))))
                  (if (i32.eq (local.get $kind) (i32.const 1))
                    (then
                      (br_if $miss (i64.gt_u (local.get $int) (i64.const 2147483647)))
                      (i32.store (local.get $slots)
                        (select
                          (i32.sub (i32.const 0) (i32.wrap_i64 (local.get $int)))
                          (i32.wrap_i64 (local.get $int))
                          (local.get $negative)))
                      (br $stored)))
                  (local.set $number (f64.convert_i64_s (local.get $int)))
                  (if (i32.eq (local.get $kind) (i32.const 3))
                    (then
                      (br_if $miss (i64.gt_u (local.get $int) (i64.const 9007199254740991)))
                      ;; -0
                      (br_if $miss (i32.and (local.get $negative) (i64.eqz (local.get $int)))))
                    (else
                      (br_if $miss (i32.eq (local.get $digits) (i32.const 16)))
                      (local.set $number
                        (f64.div
                          (local.get $number)
                          (f64.load
                            (i32.add
                              (local.get $powers)
                              (i32.shl (i32.sub (local.get $digits) (local.get $whole)) (i32.const 3))))))))
                  (f64.store (local.get $slots)
                    (select (f64.neg (local.get $number)) (local.get $number) (local.get $negative)))
                  (br $stored))
                (local.set $missed (i32.const 1))
                (if (i32.or (i32.eq (local.get $kind) (i32.const 1)) (i32.eq (local.get $kind) (i32.const 4)))
                  (then (i32.store (local.get $slots) (i32.const -2147483648)))
                  (else (f64.store (local.get $slots) (f64.const nan)))))
              (local.set $slots (i32.add (local.get $slots) (i32.const 8)))
              (local.set $item (i32.add (local.get $item) (i32.const 8)))
              (br_if $nextItem (i32.lt_u (local.get $item) (local.get $planEnd))))
            (i32.store (local.get $bases) (i32.or (i32.load (local.get $bases)) (local.get $missed)))))
        (local.set $start
          (i32.add
            (i32.add (local.get $block) (i32.load (i32.add (local.get $ends) (i32.shl (local.get $last) (i32.const 2)))))
            (i32.const 1)))
        (local.set $first (i32.add (local.get $last) (i32.const 1)))
        (local.set $records (i32.add (local.get $records) (i32.const 4)))
        (local.set $bases (i32.add (local.get $bases) (i32.const 4)))
        (br $nextRecord)))))
