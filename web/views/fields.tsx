/** Fields of forms: a label above, a sentence on what it means below. */
/// <reference lib="dom" />
import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";

interface NumberProps {
  label: string;
  value: number | undefined;
  least?: number;
  most?: number;
  /** `any`: not only whole numbers. */
  step?: number | "any";
  hint?: ComponentChildren;
  placeholder?: string;
  disabled?: boolean;
  onChange(value: number | undefined): void;
}

/** A number; undefined where the field is empty or holds none that is allowed. */
export function NumberField(props: NumberProps) {
  const { label, value, least, most, step = 1, hint, placeholder, disabled, onChange } = props;
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        id={id}
        type="number"
        inputMode={step === "any" ? "decimal" : "numeric"}
        min={least}
        max={most}
        step={step}
        value={value ?? ""}
        placeholder={placeholder}
        disabled={disabled}
        aria-describedby={hint ? `${id}-hint` : undefined}
        onInput={({ currentTarget: field }) =>
          onChange(field.value !== "" && field.validity.valid ? Number(field.value) : undefined)}
      />
      {hint && <small id={`${id}-hint`}>{hint}</small>}
    </div>
  );
}

interface ChoiceProps<Value extends string> {
  legend: string;
  value: Value;
  options: readonly { value: Value; label: string }[];
  disabled?: boolean;
  onChange(value: Value): void;
}

/** One of a few, side by side. */
export function Choice<Value extends string>(props: ChoiceProps<Value>) {
  const { legend, value, options, disabled, onChange } = props;
  const name = useId();
  return (
    <fieldset class="choice" disabled={disabled}>
      <legend>{legend}</legend>
      <div>
        {options.map((option) => (
          <label key={option.value}>
            <input
              type="radio"
              name={name}
              checked={option.value === value}
              onChange={() => onChange(option.value)}
            />
            <span>{option.label}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}

interface SliderProps {
  label: string;
  /** Index into the values. */
  at: number;
  values: readonly number[];
  disabled?: boolean;
  onChange(at: number): void;
}

/** One of some numbers that grow. */
export function Slider({ label, at, values, disabled, onChange }: SliderProps) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>
        {label} <b>{values[at]}</b>
      </label>
      <input
        id={id}
        type="range"
        min={0}
        max={values.length - 1}
        step={1}
        value={at}
        disabled={disabled}
        aria-valuetext={String(values[at])}
        onInput={({ currentTarget }) => onChange(Number(currentTarget.value))}
      />
    </div>
  );
}
