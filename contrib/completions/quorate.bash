# Completes quorate in bash. Every word it offers comes from the program itself.
# shellcheck shell=bash
_quorate() {
    local word="" words cut
    read -ra words <<<"${COMP_LINE:0:COMP_POINT}"
    if [[ ${COMP_LINE:0:COMP_POINT} == *[[:space:]] ]]; then
        words+=("")
    else
        word=${words[${#words[@]} - 1]}
    fi
    mapfile -t COMPREPLY < <("$1" complete "${words[@]:1}" 2>/dev/null | cut -f 1)
    # bash takes `:` and `=` for ends of words: what is before them is there already.
    cut=${word%"${word##*[:=]}"}
    COMPREPLY=("${COMPREPLY[@]#"$cut"}")
    if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *= ]]; then
        compopt -o nospace 2>/dev/null
    fi
}
complete -o default -F _quorate quorate
