import { sharedFunctions } from "./posix.ts";
import type { CompletionTable } from "./words.ts";

export const zshCompletion = (table: CompletionTable): string => `#compdef fairway
# fairway completion for zsh: source <(fairway completion zsh), or save it as _fairway in a folder of $fpath

${sharedFunctions(table)}
_fairway() {
  # In zsh, \`words\` is the command line; the functions above set another one.
  local -a line
  line=("\${words[@]}")
  local at=$CURRENT
  _fairway_complete
}

_fairway_complete() {
  local current="\${line[at]}" before="\${line[at - 1]}"
  local path_="" position=0 index=2 word words="" files=""
  while ((index < at)); do
    word="\${line[index]}"
    if [[ "$word" == -* ]]; then
      if _fairway_valued "$word"; then index=$((index + 1)); fi
    elif ((position == 0)) && _fairway_step "\${path_:+$path_ }$word"; then
      path_="\${path_:+$path_ }$word"
    else
      position=$((position + 1))
    fi
    index=$((index + 1))
  done
  if _fairway_valued "$before" && _fairway_values "$path_ $before"; then :
  elif [[ "$current" == -* ]]; then _fairway_flags "$path_"
  else _fairway_positional "\${path_:+$path_ }$position"
  fi
  if [[ -n "$files" ]]; then
    _files
  else
    compadd -- \${=words}
  fi
}

if [[ "\${zsh_eval_context[-1]}" == loadautofunc ]]; then
  _fairway "$@"
else
  compdef _fairway fairway
fi
`;
