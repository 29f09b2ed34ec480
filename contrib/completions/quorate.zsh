#compdef quorate
# Completes quorate in zsh. Every word it offers comes from the program itself.
_quorate() {
    local -a found shown
    local line
    found=("${(@f)$("${words[1]}" complete "${(@)words[2,CURRENT-1]}" "$PREFIX" 2>/dev/null)}")
    for line in $found; do
        shown+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}")
    done
    if (( $#shown )); then
        _describe quorate shown
    else
        _files
    fi
}
if [[ "${funcstack[1]}" == _quorate ]]; then
    _quorate "$@"
else
    compdef _quorate quorate
fi
