/**
 * What a shell is told, so that it asks upkeep how a command line may go on.
 */

/** The shells that are known. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const;

/** One of {@link SHELLS}. */
export type Shell = (typeof SHELLS)[number];

/**
 * The script for a shell. Each asks `upkeep __complete -- WORDS…` with the words after the program's name up to the
 * cursor, and gets a candidate a line, a tab and what it is; `:files` and `:dirs` ask the shell for its own.
 */
export const SCRIPTS: Readonly<Record<Shell, string>> = {
  // The shell parts words at `=`, and completes what follows it.
  bash: `# bash completion for upkeep:  eval "$(upkeep completion bash)"
_upkeep() {
  local current=\${COMP_WORDS[COMP_CWORD]} line file
  COMPREPLY=()
  [ "$current" = = ] && current=
  while IFS= read -r line; do
    case $line in
      :files)
        compopt -o filenames 2>/dev/null
        while IFS= read -r file; do COMPREPLY+=("$file"); done < <(compgen -f -- "$current")
        ;;
      :dirs)
        compopt -o filenames 2>/dev/null
        while IFS= read -r file; do COMPREPLY+=("$file"); done < <(compgen -d -- "$current")
        ;;
      *) COMPREPLY+=("\${line%%$'\\t'*}") ;;
    esac
  done < <("\${COMP_WORDS[0]}" __complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _upkeep upkeep
`,
  zsh: `#compdef upkeep
# zsh completion for upkeep:  eval "$(upkeep completion zsh)", or as a file _upkeep in a folder of $fpath
_upkeep() {
  local line value
  local -a candidates
  while IFS= read -r line; do
    case $line in
      :files) _files ;;
      :dirs) _files -/ ;;
      *)
        value=\${line%%$'\\t'*}
        candidates+=("\${value//:/\\\\:}:\${line#*$'\\t'}")
        ;;
    esac
  done < <("\${words[1]}" __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)
  (( \${#candidates} )) && _describe upkeep candidates
}
if [ "\${funcstack[1]}" = _upkeep ]; then _upkeep "$@"; else compdef _upkeep upkeep; fi
`,
  fish: `# fish completion for upkeep:  upkeep completion fish | source
function __upkeep_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    for line in (command $words[1] __complete -- $words[2..-1] "$current" 2>/dev/null)
        switch $line
            case :files
                __fish_complete_path "$current"
            case :dirs
                __fish_complete_directories "$current"
            case '*'
                echo $line
        end
    end
end
complete -c upkeep -f -a '(__upkeep_complete)'
`,
};
