/**
 * `completion SHELL`: a script that teaches bash, zsh or fish the commands, options and values of the command table.
 */
import { type CommandSpec, type CommandTable, GLOBAL_OPTIONS, type OptionSpec, type Run } from '../command-spec.ts'

const HELP_OPTION: OptionSpec = { flags: '--help', summary: 'explain this command' }

/** One place of the command line: the words before it and what may follow. */
interface Place {
  readonly path: string
  readonly words: readonly { readonly word: string; readonly summary: string }[]
  readonly options: readonly OptionSpec[]
}

function word(option: OptionSpec): string {
  return option.flags.split(' ')[0]!
}

function takesValue(option: OptionSpec): boolean {
  return option.flags.includes('<')
}

function commandPlace(spec: CommandSpec): Place {
  const values = spec.operands?.flatMap(operand => operand.values ?? []) ?? []
  return {
    path: spec.name,
    words: values.map(value => ({ word: value, summary: '' })),
    options: [...(spec.options ?? []), ...GLOBAL_OPTIONS, HELP_OPTION],
  }
}

/** Every place, from the table: the root, the groups, the commands. */
export function places({ commands, groups }: CommandTable): readonly Place[] {
  const common = [...GLOBAL_OPTIONS, HELP_OPTION]
  const single = commands.filter(spec => !spec.name.includes(' ')).map(spec => ({ word: spec.name, summary: spec.summary }))
  const groupWords = Object.entries(groups).map(([name, summary]) => ({ word: name, summary }))
  const inGroup = (group: string) =>
    commands
      .filter(spec => spec.name.startsWith(`${group} `))
      .map(spec => ({ word: spec.name.split(' ')[1]!, summary: spec.summary }))
  return [
    { path: '', words: [...groupWords, ...single], options: common },
    ...Object.keys(groups).map(group => ({ path: group, words: inGroup(group), options: common })),
    ...commands.map(commandPlace),
  ]
}

/** The options whose value a shell can complete, each once, with how. */
function valueOptions(table: CommandTable): readonly OptionSpec[] {
  const all = places(table).flatMap(place => place.options)
  return [...new Map(all.filter(takesValue).map(option => [word(option), option])).values()]
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}

function bashValueCase(option: OptionSpec): string {
  const reply =
    option.completes === 'folder'
      ? 'COMPREPLY=($(compgen -d -- "$current"))'
      : option.completes === 'file'
        ? 'COMPREPLY=($(compgen -f -- "$current"))'
        : option.values
          ? `COMPREPLY=($(compgen -W ${quote(option.values.join(' '))} -- "$current"))`
          : 'COMPREPLY=()'
  return `    ${word(option)}) ${reply}; return ;;`
}

function bash(table: CommandTable): string {
  const options = valueOptions(table)
  const cases = places(table).map(place => {
    const choices = [...place.words.map(each => each.word), ...place.options.map(word)].join(' ')
    return `    ${quote(place.path)}) choices=${quote(choices)} ;;`
  })
  return `# bash completion of session-v2; load it with: source <(session-v2 completion bash)
_session_v2() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" path='' choices='' skip='' each
  case "$previous" in
${options.map(bashValueCase).join('\n')}
  esac
  for each in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    if [ -n "$skip" ]; then skip=''; continue; fi
    case "$each" in
      ${options.map(word).join('|')}) skip=1 ;;
      -*) ;;
      *) case "$path" in ${Object.keys(table.groups).join('|')}) path="$path $each" ;; '') path="$each" ;; esac ;;
    esac
  done
  case "$path" in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$choices" -- "$current"))
}
complete -F _session_v2 session-v2
`
}

function zshOption(option: OptionSpec): string {
  const summary = option.summary.replaceAll(/[[\]:]/g, ' ')
  const action =
    option.completes === 'folder'
      ? '_files -/'
      : option.completes === 'file'
        ? '_files'
        : option.values
          ? `(${option.values.join(' ')})`
          : ' '
  return quote(`${option.repeatable ? '*' : ''}${word(option)}[${summary}]${takesValue(option) ? `:value:${action}` : ''}`)
}

function zshPlace(place: Place): string {
  const words = place.words.map(each => quote(`${each.word}:${each.summary.replaceAll(':', ' ')}`)).join(' ')
  return `    ${quote(place.path)}) words_here=(${words}); options_here=(${place.options.map(zshOption).join(' ')}) ;;`
}

function zsh(table: CommandTable): string {
  return `#compdef session-v2
# zsh completion of session-v2; put it in a folder of $fpath as _session-v2
_session_v2() {
  local path_here='' skip='' each
  local -a words_here options_here
  for each in "\${(@)words[2,CURRENT-1]}"; do
    if [[ -n $skip ]]; then skip=''; continue; fi
    case $each in
      ${valueOptions(table).map(word).join('|')}) skip=1 ;;
      -*) ;;
      *) case $path_here in ${Object.keys(table.groups).join('|')}) path_here="$path_here $each" ;; '') path_here=$each ;; esac ;;
    esac
  done
  case $path_here in
${places(table).map(zshPlace).join('\n')}
  esac
  if (( \${#words_here} )) && [[ \${words[CURRENT]} != -* ]]; then
    _describe command words_here
  else
    _arguments -S $options_here '*: :'
  fi
}
compdef _session_v2 session-v2
`
}

function fishCondition(path: string): string {
  return `__session_v2_at ${quote(path)}`
}

function fishPlace(place: Place): string {
  const at = quote(fishCondition(place.path))
  const words = place.words.map(each => `complete -c session-v2 -n ${at} -a ${quote(each.word)} -d ${quote(each.summary)}`)
  const options = place.options.map(option => {
    const value = !takesValue(option)
      ? ''
      : option.completes
        ? ' -r -F'
        : option.values
          ? ` -x -a ${quote(option.values.join(' '))}`
          : ' -x'
    return `complete -c session-v2 -n ${at} -l ${word(option).slice(2)} -d ${quote(option.summary)}${value}`
  })
  return [...words, ...options].join('\n')
}

function fish(table: CommandTable): string {
  return `# fish completion of session-v2; load it with: session-v2 completion fish | source
function __session_v2_at
  set -l path
  set -l skip 0
  for each in (commandline -opc)[2..-1]
    if test $skip = 1
      set skip 0
      continue
    end
    switch $each
      case ${valueOptions(table).map(word).join(' ')}
        set skip 1
      case '-*'
      case '*'
        if test (count $path) -eq 0; or begin; test (count $path) -eq 1; and contains -- $path[1] ${Object.keys(table.groups).join(' ')}; end
          set -a path $each
        end
    end
  end
  test "$path" = "$argv[1]"
end
complete -c session-v2 -f
${places(table).map(fishPlace).join('\n')}
`
}

const SCRIPTS: Readonly<Record<string, (table: CommandTable) => string>> = { bash, zsh, fish }

/** The command, for a table that it is itself part of. */
export function completionOf(table: CommandTable): Run {
  return async (context, [shell]) => {
    const script = SCRIPTS[shell!]!(table)
    context.output.result({ shell: shell!, script }, script.trimEnd())
  }
}
