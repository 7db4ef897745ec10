import { sharedFunctions } from "./posix.ts";
import type { CompletionTable } from "./words.ts";

export const bashCompletion = (
  table: CompletionTable,
): string => `# fairway completion for bash: source <(fairway completion bash)

${sharedFunctions(table)}
_fairway() {
  local current="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD - 1]}"
  local path="" position=0 index=1 word words="" files=""
  while ((index < COMP_CWORD)); do
    word="\${COMP_WORDS[index]}"
    if [[ "$word" == -* ]]; then
      if _fairway_valued "$word"; then index=$((index + 1)); fi
    elif ((position == 0)) && _fairway_step "\${path:+$path }$word"; then
      path="\${path:+$path }$word"
    else
      position=$((position + 1))
    fi
    index=$((index + 1))
  done
  if _fairway_valued "$before" && _fairway_values "$path $before"; then :
  elif [[ "$current" == -* ]]; then _fairway_flags "$path"
  else _fairway_positional "\${path:+$path }$position"
  fi
  COMPREPLY=()
  if [[ -n "$files" ]]; then
    compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(compgen -f -- "$current")
  else
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
  fi
}
complete -F _fairway fairway
`;
